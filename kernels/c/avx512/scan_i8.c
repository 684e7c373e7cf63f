/* The high plane against 8-bit queries (VNNI): sixty-four products a instruction, sixteen rows to a register of scores.
 * VPDPBUSD multiplies unsigned by signed bytes: a row's bytes are moved by 128, and 128 x the sum of the query's levels is
 * taken off again. Bound by memory for one query: d + 4 bytes a row. Reference: reference/scan_i8.py. */
#include "avx512.h"

enum { GROUP = 16 };

/* Sixty-four bytes of a row, moved by 128 to unsigned; bytes past the row's end meet zeros in the query. */
static inline __m512i load_moved(const int8_t *row, int64_t left) {
    const __m512i move = _mm512_set1_epi8((char)0x80);
    __mmask64 lanes = left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
    return _mm512_xor_si512(_mm512_maskz_loadu_epi8(lanes, row), move);
}

static inline __m512i dot_row(const int8_t *row, const int8_t *levels, int64_t dimension) {
    __m512i sum = _mm512_setzero_si512();
    int64_t i = 0;
    for (; i + 64 <= dimension; i += 64) {
        sum = _mm512_dpbusd_epi32(sum, load_moved(row + i, 64), _mm512_load_si512(levels + i));
    }
    if (i < dimension) {
        sum = _mm512_dpbusd_epi32(sum, load_moved(row + i, dimension - i), _mm512_load_si512(levels + i));
    }
    return sum;
}

/* Four registers to one that holds, in each 128-bit lane, a partial sum of each. */
static inline __m512i fold_four(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

/* Sixteen sums, row i's in lane i, from four results of fold_four. */
static inline __m512i fold_sixteen(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
    __m512i cd = _mm512_add_epi32(_mm512_shuffle_i32x4(c, d, 0x88), _mm512_shuffle_i32x4(c, d, 0xDD));
    return _mm512_add_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xDD));
}

/* Dot products of sixteen rows; rows past the last repeat it. */
static inline __m512i dot_group(const int8_t *rows, int64_t dimension, int64_t left, const int8_t *levels) {
    __m512i fours[4];
    for (int i = 0; i < 4; i++) {
        __m512i sums[4];
        for (int j = 0; j < 4; j++) {
            int64_t row = 4 * i + j < left ? 4 * i + j : left - 1;
            sums[j] = dot_row(rows + row * dimension, levels, dimension);
        }
        fours[i] = fold_four(sums[0], sums[1], sums[2], sums[3]);
    }
    return fold_sixteen(fours[0], fours[1], fours[2], fours[3]);
}

static inline __mmask16 allowed_lanes(const uint8_t *allowed, int64_t row, int64_t left) {
    __mmask16 lanes = sk_lanes_left(left);
    if (allowed) {
        /* row is a multiple of 8; the bitmap may end with the first byte. */
        unsigned bits = allowed[row >> 3] | (left > 8 ? (unsigned)allowed[(row >> 3) + 1] << 8 : 0);
        lanes &= (__mmask16)bits;
    }
    return lanes;
}

void sk_avx512_scan_i8(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                       int64_t query_count, const uint8_t *allowed, struct sk_selection *selections) {
    for (int64_t row = first; row < last; row += GROUP) {
        const int8_t *high = rows->high + row * rows->dimension;
        __mmask16 lanes = allowed_lanes(allowed, row, last - row);
        __m512 scales;
        if (!lanes) continue;
        scales = _mm512_maskz_loadu_ps(lanes, rows->scale + row);
        for (int64_t q = 0; q < query_count; q++) {
            __m512i dots = dot_group(high, rows->dimension, last - row, queries[q].levels);
            __m512 scores;
            __mmask16 above;
            dots = _mm512_sub_epi32(dots, _mm512_set1_epi32(128 * queries[q].sum));
            scores = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dots), scales), _mm512_set1_ps(queries[q].scale));
            above = _mm512_mask_cmp_ps_mask(lanes, scores, _mm512_set1_ps(selections[q].threshold), _CMP_GT_OQ);
            if (above) sk_offer_lanes(&selections[q], above, scores, row);
        }
    }
}
