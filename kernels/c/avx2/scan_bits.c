/* One bit a dimension against a 4-bit query, eight rows at a time. AVX2 has no population count: a shuffle looks up that of
 * each half byte, already doubled for planes 1 and 3, so that two planes share a byte counter. 33 instructions a word of
 * four rows: bound by them, not by memory, at three times the AVX-512 time. Reference: reference/bits.py. */
#include "avx2.h"

/* A pair of planes adds at most 8 + 2 x 8 to a byte in each word. */
enum { WORDS_A_FLUSH = 10 };
/* Bytes between what is counted and what is fetched; see ../avx512/scan_bits.c. */
enum { BITS_AHEAD = 8192, FACTORS_AHEAD = 2048 };

struct tables {
    __m256i single, twice, low_half;
};

static inline struct tables make_tables(void) {
    const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                            0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    return (struct tables){counts, _mm256_add_epi8(counts, counts), _mm256_set1_epi8(0x0F)};
}

static inline __m256i count_bytes(__m256i bits, __m256i table, __m256i low_half) {
    __m256i low = _mm256_and_si256(bits, low_half), high = _mm256_and_si256(_mm256_srli_epi16(bits, 4), low_half);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
}

static inline __m256i count_pair(__m256i word, const uint64_t *planes, const struct tables *t) {
    __m256i first = _mm256_xor_si256(word, _mm256_set1_epi64x((int64_t)planes[0]));
    __m256i second = _mm256_xor_si256(word, _mm256_set1_epi64x((int64_t)planes[1]));
    return _mm256_add_epi8(count_bytes(first, t->single, t->low_half), count_bytes(second, t->twice, t->low_half));
}

/* Weighted counts of differing bits of four rows, 64 bits each. */
static inline __m256i count_differing(const uint64_t *block, const uint64_t *planes, int64_t words,
                                      const struct tables *t) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i total = zero;
    for (int64_t start = 0; start < words; start += WORDS_A_FLUSH) {
        int64_t end = words - start < WORDS_A_FLUSH ? words : start + WORDS_A_FLUSH;
        __m256i low = zero, high = zero;
        for (int64_t w = start; w < end; w++) {
            __m256i word = _mm256_loadu_si256((const void *)(block + w * 8));
            _mm_prefetch((const char *)(block + w * 8) + BITS_AHEAD, _MM_HINT_T0);
            low = _mm256_add_epi8(low, count_pair(word, planes + w * SK_PLANES, t));
            high = _mm256_add_epi8(high, count_pair(word, planes + w * SK_PLANES + 2, t));
        }
        total = _mm256_add_epi64(total, _mm256_sad_epu8(low, zero));
        total = _mm256_add_epi64(total, _mm256_slli_epi64(_mm256_sad_epu8(high, zero), 2));
    }
    return total;
}

void sk_avx2_scan_bits(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_bit_query *query,
                       const uint8_t *allowed, struct sk_selection *selection) {
    const int64_t words = (rows->dimension + 63) / 64;
    const struct tables tables = make_tables();
    const __m256i all = _mm256_set1_epi32((int32_t)(15 * rows->dimension));
    const __m256 step = _mm256_set1_ps(query->step), offset = _mm256_set1_ps(query->offset);
    const uint64_t *block = rows->bits + first / 8 * words * 8;
    for (int64_t row = first; row < last; row += 8, block += words * 8) {
        unsigned lanes = sk_lanes_256(allowed, row, last - row);
        __m256i front, back, differing;
        __m256 scores;
        if (!lanes) continue;
        _mm_prefetch((const char *)(rows->factors + row) + FACTORS_AHEAD, _MM_HINT_T0);
        front = count_differing(block, query->planes, words, &tables);
        back = count_differing(block + 4, query->planes, words, &tables);
        differing = _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(front), _mm256_castsi256_ps(back), 0x88));
        differing = _mm256_permute4x64_epi64(differing, 0xD8);
        scores = _mm256_cvtepi32_ps(_mm256_sub_epi32(all, _mm256_slli_epi32(differing, 1)));
        scores = _mm256_mul_ps(sk_load_left_256(rows->factors + row, last - row), scores);
        scores = _mm256_add_ps(_mm256_mul_ps(scores, step), offset);
        sk_offer_256(selection, lanes, scores, row);
    }
}
