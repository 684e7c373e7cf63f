/* The high plane against four queries: a tile of two rows by four queries keeps eight sums in registers, so that six loads
 * feed eight multiplications. Bound by VPDPBUSD from eight queries on, not by memory. See scan_i8.c. */
#include "i8.h"

enum { ROWS = 4, QUERIES = 4, AHEAD = 8192 /* see scan_bits.c */ };

struct four_queries {
    const int8_t *levels[QUERIES];
    __m512i moved;  /* 128 x each query's sum, for each of four rows */
    __m512 scales;  /* the same of the scales */
};

static struct four_queries gather(const struct sk_i8_query *queries) {
    struct four_queries four;
    for (int q = 0; q < QUERIES; q++) four.levels[q] = queries[q].levels;
    four.moved = _mm512_broadcast_i32x4(_mm_setr_epi32(128 * queries[0].sum, 128 * queries[1].sum, 128 * queries[2].sum,
                                                       128 * queries[3].sum));
    four.scales = _mm512_broadcast_f32x4(
        _mm_setr_ps(queries[0].scale, queries[1].scale, queries[2].scale, queries[3].scale));
    return four;
}

static inline __m512 load_thresholds(const struct sk_selection *s) {
    return _mm512_broadcast_f32x4(_mm_setr_ps(s[0].threshold, s[1].threshold, s[2].threshold, s[3].threshold));
}

struct two_rows {
    __m512i a[QUERIES], b[QUERIES];
};

static inline void multiply_add(struct two_rows *sums, __m512i a, __m512i b, const struct four_queries *four, int64_t i) {
    for (int q = 0; q < QUERIES; q++) {
        __m512i levels = _mm512_load_si512(four->levels[q] + i);
        sums->a[q] = _mm512_dpbusd_epi32(sums->a[q], a, levels);
        sums->b[q] = _mm512_dpbusd_epi32(sums->b[q], b, levels);
    }
}

/* Partial sums of two rows with four queries, folded to a register each. */
static inline void dot_two(const int8_t *a, const int8_t *b, int64_t dimension, const struct four_queries *four,
                           __m512i *folded_a, __m512i *folded_b) {
    struct two_rows sums;
    int64_t i = 0;
    for (int q = 0; q < QUERIES; q++) sums.a[q] = sums.b[q] = _mm512_setzero_si512();
    for (; i + 64 <= dimension; i += 64) {
        _mm_prefetch((const char *)a + i + AHEAD, _MM_HINT_T0);
        _mm_prefetch((const char *)b + i + AHEAD, _MM_HINT_T0);
        multiply_add(&sums, sk_load_moved(a + i, 64), sk_load_moved(b + i, 64), four, i);
    }
    if (i < dimension) {
        multiply_add(&sums, sk_load_moved(a + i, dimension - i), sk_load_moved(b + i, dimension - i), four, i);
    }
    *folded_a = sk_fold_four(sums.a[0], sums.a[1], sums.a[2], sums.a[3]);
    *folded_b = sk_fold_four(sums.b[0], sums.b[1], sums.b[2], sums.b[3]);
}

void sk_avx512_scan_i8_four(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                            const uint8_t *allowed, struct sk_selection *selections) {
    const __m512i each_row = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const struct four_queries four = gather(queries);
    const int64_t d = rows->dimension;
    for (int64_t row = first; row < last; row += ROWS) {
        const int8_t *high = rows->high + row * d;
        int64_t left = last - row;
        unsigned found = left >= ROWS ? 0xF : (1u << left) - 1, above;
        __m512i folded[ROWS];
        __m512 scores, scales;
        if (allowed) found &= (unsigned)allowed[row >> 3] >> (row & 7);
        if (!found) continue;
        dot_two(high, high + (left > 1 ? d : 0), d, &four, &folded[0], &folded[1]);
        dot_two(high + (left > 2 ? 2 * d : 0), high + (left > 3 ? 3 * d : 0), d, &four, &folded[2], &folded[3]);
        scales = _mm512_castps128_ps512(_mm_maskz_loadu_ps((__mmask8)found, rows->scale + row));
        scores = _mm512_cvtepi32_ps(
            _mm512_sub_epi32(sk_fold_sixteen(folded[0], folded[1], folded[2], folded[3]), four.moved));
        scores = _mm512_mul_ps(_mm512_mul_ps(scores, _mm512_permutexvar_ps(each_row, scales)), four.scales);
        above = _mm512_cmp_ps_mask(scores, load_thresholds(selections), _CMP_GT_OQ);
        if (above) {
            float lane[ROWS * QUERIES];
            _mm512_storeu_ps(lane, scores);
            for (; above; above &= above - 1) {
                int i = __builtin_ctz(above), q = i % QUERIES;
                if (!(found >> (i / QUERIES) & 1) || !(lane[i] > selections[q].threshold)) continue;
                sk_selection_offer(&selections[q], lane[i], row + i / QUERIES);
            }
        }
    }
}
