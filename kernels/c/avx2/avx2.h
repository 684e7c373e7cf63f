#ifndef SATCHEL_AVX2_H
#define SATCHEL_AVX2_H

#include <immintrin.h>

#include "../kernels.h"
#include "../scalar.h"

void sk_avx2_quantise(const float *rows, int64_t count, int64_t dimension, int8_t *high, int8_t *low, float *scale);
int64_t sk_avx2_sum_values(const struct sk_rows *rows, double *total);
void sk_avx2_derive_bits(const struct sk_rows *rows, uint64_t *bits, float *factors);
void sk_avx2_scan_i8(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                     int64_t query_count, const uint8_t *allowed, struct sk_selection *selections);
void sk_avx2_scan_bits(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_bit_query *query,
                       const uint8_t *allowed, struct sk_selection *selection);
void sk_avx2_rescore(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                     float *scores);

/* Eight elements of both planes as exact floats. */
static inline __m256 sk_joined_256(const int8_t *high, const int8_t *low) {
    __m256i h = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)high));
    __m256i l = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)low));
    /* 254 h = 256 h - 2 h: two shifts are faster than a multiplication. */
    __m256i whole = _mm256_sub_epi32(_mm256_slli_epi32(h, 8), _mm256_slli_epi32(h, 1));
    return _mm256_cvtepi32_ps(_mm256_add_epi32(whole, l));
}

static inline __m256 sk_absolute_256(__m256 x) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

/* Bits of the rows among the next eight that may be found; row is a multiple of 8. */
static inline unsigned sk_lanes_256(const uint8_t *allowed, int64_t row, int64_t left) {
    unsigned lanes = left >= 8 ? 0xFF : (1u << left) - 1;
    return allowed ? lanes & allowed[row >> 3] : lanes;
}

/* Eight floats, of which the last ones of an array may be missing. */
static inline __m256 sk_load_left_256(const float *values, int64_t left) {
    float padded[8] = {0};
    if (left >= 8) return _mm256_loadu_ps(values);
    memcpy(padded, values, (size_t)left * sizeof *values);
    return _mm256_loadu_ps(padded);
}

/* Offers those of eight rows whose scores are greater than the threshold. */
static inline void sk_offer_256(struct sk_selection *selection, unsigned lanes, __m256 scores, int64_t row) {
    __m256 greater = _mm256_cmp_ps(scores, _mm256_set1_ps(selection->threshold), _CMP_GT_OQ);
    unsigned above = (unsigned)_mm256_movemask_ps(greater) & lanes;
    float lane[8];
    if (!above) return;
    _mm256_storeu_ps(lane, scores);
    for (; above; above &= above - 1) {
        int i = __builtin_ctz(above);
        if (lane[i] > selection->threshold) sk_selection_offer(selection, lane[i], row + i);
    }
}

#endif
