/* One bit a dimension against a 4-bit query, eight rows at a time (VPOPCNTDQ).
 * Fast because a block of eight rows is word-major: one load feeds eight rows, no horizontal sums.
 * Bound by memory: 48 + 4 bytes a row at 384 dimensions. Reference: reference/bits.py; method: RaBitQ (SIGMOD 2024). */
#include "avx512.h"

/* Weighted counts of differing bits, one a row of the block. */
static inline __m256i count_differing(const uint64_t *block, const uint64_t *planes, int64_t words) {
    __m512i ones = _mm512_setzero_si512(), twos = ones, fours = ones, eights = ones;
    for (int64_t w = 0; w < words; w++, block += 8, planes += SK_PLANES) {
        __m512i word = _mm512_loadu_si512(block);
        ones = _mm512_add_epi64(ones, _mm512_popcnt_epi64(_mm512_xor_si512(word, _mm512_set1_epi64((int64_t)planes[0]))));
        twos = _mm512_add_epi64(twos, _mm512_popcnt_epi64(_mm512_xor_si512(word, _mm512_set1_epi64((int64_t)planes[1]))));
        fours = _mm512_add_epi64(fours, _mm512_popcnt_epi64(_mm512_xor_si512(word, _mm512_set1_epi64((int64_t)planes[2]))));
        eights = _mm512_add_epi64(eights, _mm512_popcnt_epi64(_mm512_xor_si512(word, _mm512_set1_epi64((int64_t)planes[3]))));
    }
    ones = _mm512_add_epi64(ones, _mm512_slli_epi64(twos, 1));
    fours = _mm512_add_epi64(_mm512_slli_epi64(fours, 2), _mm512_slli_epi64(eights, 3));
    return _mm512_cvtepi64_epi32(_mm512_add_epi64(ones, fours));
}

void sk_avx512_scan_bits(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_bit_query *query,
                         const uint8_t *allowed, struct sk_selection *selection) {
    const int64_t words = (rows->dimension + 63) / 64;
    const __m256i all = _mm256_set1_epi32((int32_t)(15 * rows->dimension));
    const __m256 step = _mm256_set1_ps(query->step), offset = _mm256_set1_ps(query->offset);
    const uint64_t *block = rows->bits + first / 8 * words * 8;
    for (int64_t row = first; row < last; row += 8, block += words * 8) {
        __mmask8 lanes = (__mmask8)sk_lanes_left(last - row), above;
        __m256i agreement;
        __m256 scores;
        if (allowed) {
            lanes &= allowed[row >> 3];
            if (!lanes) continue;
        }
        agreement = _mm256_sub_epi32(all, _mm256_slli_epi32(count_differing(block, query->planes, words), 1));
        scores = _mm256_mul_ps(_mm256_maskz_loadu_ps(lanes, rows->factors + row), _mm256_cvtepi32_ps(agreement));
        scores = _mm256_add_ps(_mm256_mul_ps(scores, step), offset);
        above = _mm256_mask_cmp_ps_mask(lanes, scores, _mm256_set1_ps(selection->threshold), _CMP_GT_OQ);
        if (above) sk_offer_lanes(selection, above, _mm512_castps256_ps512(scores), row);
    }
}
