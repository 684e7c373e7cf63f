/* The high plane against 8-bit queries. VPMADDUBSW multiplies unsigned by signed bytes and saturates at 16 bits: |row| times
 * the query with the row's signs stays below (128 x 127 x 2 < 2^15), so it is exact. Reference: reference/scan_i8.py. */
#include "avx2.h"

enum { AHEAD = 8192 /* see ../avx512/scan_bits.c */ };

static inline __m256i multiply_add(__m256i sum, __m256i row, __m256i levels) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(row), _mm256_sign_epi8(levels, row));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static inline __m256i dot_row(const int8_t *row, const int8_t *levels, int64_t dimension) {
    __m256i sum = _mm256_setzero_si256();
    int64_t i = 0;
    for (; i + 32 <= dimension; i += 32) {
        _mm_prefetch((const char *)row + i + AHEAD, _MM_HINT_T0);
        sum = multiply_add(sum, _mm256_loadu_si256((const void *)(row + i)), _mm256_load_si256((const void *)(levels + i)));
    }
    if (i < dimension) {
        int8_t rest[32] = {0};
        memcpy(rest, row + i, (size_t)(dimension - i));
        sum = multiply_add(sum, _mm256_loadu_si256((const void *)rest), _mm256_load_si256((const void *)(levels + i)));
    }
    return sum;
}

static inline __m256i dot_four(const int8_t *rows, int64_t dimension, int64_t left, const int8_t *levels) {
    __m256i sums[4];
    for (int j = 0; j < 4; j++) {
        int64_t row = j < left ? j : left - 1;
        sums[j] = dot_row(rows + row * dimension, levels, dimension);
    }
    return _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
}

/* Dot products of eight rows; rows past the last repeat it. */
static inline __m256i dot_group(const int8_t *rows, int64_t dimension, int64_t left, const int8_t *levels) {
    __m256i front = dot_four(rows, dimension, left, levels);
    __m256i back = left > 4 ? dot_four(rows + 4 * dimension, dimension, left - 4, levels) : front;
    return _mm256_add_epi32(_mm256_permute2x128_si256(front, back, 0x20), _mm256_permute2x128_si256(front, back, 0x31));
}

void sk_avx2_scan_i8(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                     int64_t query_count, const uint8_t *allowed, struct sk_selection *selections) {
    for (int64_t row = first; row < last; row += 8) {
        const int8_t *high = rows->high + row * rows->dimension;
        unsigned lanes = sk_lanes_256(allowed, row, last - row);
        __m256 scales;
        if (!lanes) continue;
        scales = sk_load_left_256(rows->scale + row, last - row);
        for (int64_t q = 0; q < query_count; q++) {
            __m256 dots = _mm256_cvtepi32_ps(dot_group(high, rows->dimension, last - row, queries[q].levels));
            __m256 scores = _mm256_mul_ps(_mm256_mul_ps(dots, scales), _mm256_set1_ps(queries[q].scale));
            sk_offer_256(&selections[q], lanes, scores, row);
        }
    }
}
