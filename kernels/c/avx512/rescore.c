/* Candidates' scores from both planes: rows far apart, so the next ones are fetched while one is summed. */
#include <math.h>

#include "avx512.h"

enum { AHEAD = 4, LINE = 64 };

static inline void fetch(const struct sk_rows *rows, int64_t candidate) {
    const char *high, *low;
    if (candidate < 0 || candidate >= rows->count) return;
    high = (const char *)rows->high + candidate * rows->dimension;
    low = (const char *)rows->low + candidate * rows->dimension;
    for (int64_t i = 0; i < rows->dimension; i += LINE) {
        _mm_prefetch(high + i, _MM_HINT_T0);
        _mm_prefetch(low + i, _MM_HINT_T0);
    }
    _mm_prefetch((const char *)(rows->scale + candidate), _MM_HINT_T0);
}

void sk_avx512_rescore(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                       float *scores) {
    for (int64_t c = 0; c < count && c < AHEAD; c++) fetch(rows, candidates[c]);
    for (int64_t c = 0; c < count; c++) {
        const int8_t *high, *low;
        __m512 sums = _mm512_setzero_ps();
        if (c + AHEAD < count) fetch(rows, candidates[c + AHEAD]);
        if (candidates[c] < 0 || candidates[c] >= rows->count) {
            scores[c] = -INFINITY;
            continue;
        }
        high = rows->high + candidates[c] * rows->dimension;
        low = rows->low + candidates[c] * rows->dimension;
        for (int64_t i = 0; i < rows->dimension; i += 16) {
            __m512 joined = sk_joined_512(high + i, low + i, sk_lanes_left(rows->dimension - i));
            sums = _mm512_add_ps(sums, _mm512_mul_ps(joined, _mm512_load_ps(query + i)));
        }
        scores[c] = sk_fold_512(sums) * (rows->scale[candidates[c]] / SK_LOW_LEVELS);
    }
}
