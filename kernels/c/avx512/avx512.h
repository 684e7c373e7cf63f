#ifndef SATCHEL_AVX512_H
#define SATCHEL_AVX512_H

#include <immintrin.h>

#include "../kernels.h"
#include "../scalar.h"

void sk_avx512_quantise(const float *rows, int64_t count, int64_t dimension, int8_t *high, int8_t *low, float *scale);
int64_t sk_avx512_sum_values(const struct sk_rows *rows, double *total);
void sk_avx512_derive_bits(const struct sk_rows *rows, uint64_t *bits, float *factors);
void sk_avx512_scan_i8(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                       int64_t query_count, const uint8_t *allowed, struct sk_selection *selections);
void sk_avx512_scan_bits(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_bit_query *query,
                         const uint8_t *allowed, struct sk_selection *selection);
void sk_avx512_rescore(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                       float *scores);
void sk_avx512_bm25_add(const struct sk_bm25_slice *slice, float *sums);
int64_t sk_avx512_bm25_collect(const float *sums, int64_t size, float cut, uint32_t *places);

/* The lanes that hold elements: all sixteen, or the last few of a row. */
static inline __mmask16 sk_lanes_left(int64_t left) {
    return left >= 16 ? (__mmask16)0xFFFF : (__mmask16)((1u << left) - 1);
}

/* sk_fold, on a register. */
static inline float sk_fold_512(__m512 lanes) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* Sixteen elements of both planes as exact floats; masked lanes are 0 and not read. */
static inline __m512 sk_joined_512(const int8_t *high, const int8_t *low, __mmask16 lanes) {
    __m512i h = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, high));
    __m512i l = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, low));
    /* 254 h = 256 h - 2 h: two shifts are faster than a multiplication. */
    __m512i whole = _mm512_sub_epi32(_mm512_slli_epi32(h, 8), _mm512_slli_epi32(h, 1));
    return _mm512_cvtepi32_ps(_mm512_add_epi32(whole, l));
}

/* Appends the lanes of `above` (scores greater than the threshold) as rows row, row + 1, ... without a branch a row. */
static inline void sk_offer_eight(struct sk_selection *selection, __mmask8 above, __m256 scores, int64_t row) {
    const __m256i numbers = _mm256_add_epi32(_mm256_set1_epi32((int32_t)row), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256i bits = _mm256_castps_si256(_mm256_add_ps(scores, _mm256_setzero_ps())), ordered;
    __m512i keys;
    if (selection->count + 8 > selection->capacity) sk_selection_cut(selection);
    /* sk_key, eight at a time. */
    ordered = _mm256_or_si256(_mm256_srai_epi32(bits, 31), _mm256_set1_epi32(INT32_MIN));
    ordered = _mm256_xor_si256(bits, ordered);
    keys = _mm512_slli_epi64(_mm512_cvtepu32_epi64(ordered), 32);
    keys = _mm512_or_si512(keys, _mm512_cvtepu32_epi64(_mm256_xor_si256(numbers, _mm256_set1_epi32(-1))));
    /* Compressed in a register, then stored whole: a compressing store is microcode on Zen. */
    _mm512_storeu_si512(selection->keys + selection->count, _mm512_maskz_compress_epi64(above, keys));
    selection->count += __builtin_popcount(above);
}

static inline void sk_offer_sixteen(struct sk_selection *selection, __mmask16 above, __m512 scores, int64_t row) {
    __mmask8 front = (__mmask8)above, back = (__mmask8)(above >> 8);
    if (front) sk_offer_eight(selection, front, _mm512_castps512_ps256(scores), row);
    if (back) sk_offer_eight(selection, back, _mm512_extractf32x8_ps(scores, 1), row + 8);
}

#endif
