/* The high plane against 8-bit queries (VNNI): sixty-four products an instruction, sixteen rows to a register of scores.
 * VPDPBUSD multiplies unsigned by signed bytes: a row's bytes are moved by 128, and 128 x the sum of the query's levels is
 * taken off again. Bound by memory for one query: d + 4 bytes a row. Reference: reference/scan_i8.py. */
#include "i8.h"

enum { GROUP = 16, AHEAD = 8192 /* see scan_bits.c */ };

static inline __m512i dot_row(const int8_t *row, const int8_t *levels, int64_t dimension) {
    __m512i sum = _mm512_setzero_si512();
    int64_t i = 0;
    for (; i + 64 <= dimension; i += 64) {
        _mm_prefetch((const char *)row + i + AHEAD, _MM_HINT_T0);
        sum = _mm512_dpbusd_epi32(sum, sk_load_moved(row + i, 64), _mm512_load_si512(levels + i));
    }
    if (i < dimension) {
        sum = _mm512_dpbusd_epi32(sum, sk_load_moved(row + i, dimension - i), _mm512_load_si512(levels + i));
    }
    return sum;
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
        fours[i] = sk_fold_four(sums[0], sums[1], sums[2], sums[3]);
    }
    return sk_fold_sixteen(fours[0], fours[1], fours[2], fours[3]);
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

static void scan_one(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *query,
                     const uint8_t *allowed, struct sk_selection *selection) {
    const __m512i moved = _mm512_set1_epi32(128 * query->sum);
    for (int64_t row = first; row < last; row += GROUP) {
        __mmask16 lanes = allowed_lanes(allowed, row, last - row), above;
        __m512 scores;
        if (!lanes) continue;
        scores = _mm512_cvtepi32_ps(_mm512_sub_epi32(
            dot_group(rows->high + row * rows->dimension, rows->dimension, last - row, query->levels), moved));
        scores = _mm512_mul_ps(scores, _mm512_maskz_loadu_ps(lanes, rows->scale + row));
        scores = _mm512_mul_ps(scores, _mm512_set1_ps(query->scale));
        above = _mm512_mask_cmp_ps_mask(lanes, scores, _mm512_set1_ps(selection->threshold), _CMP_GT_OQ);
        if (above) sk_offer_sixteen(selection, above, scores, row);
    }
}

void sk_avx512_scan_i8(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                       int64_t query_count, const uint8_t *allowed, struct sk_selection *selections) {
    int64_t q = 0;
    for (; q + 4 <= query_count; q += 4) {
        sk_avx512_scan_i8_four(rows, first, last, queries + q, allowed, selections + q);
    }
    for (; q < query_count; q++) scan_one(rows, first, last, &queries[q], allowed, &selections[q]);
}
