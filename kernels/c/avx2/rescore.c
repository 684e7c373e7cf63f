/* Candidates' scores from both planes: rows far apart, so the next ones are fetched while one is summed. */
#include <math.h>

#include "avx2.h"

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

void sk_avx2_rescore(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                     float *scores) {
    for (int64_t c = 0; c < count && c < AHEAD; c++) fetch(rows, candidates[c]);
    for (int64_t c = 0; c < count; c++) {
        const int8_t *high, *low;
        __m256 front = _mm256_setzero_ps(), back = front;
        float lanes[SK_LANES];
        int64_t i = 0;
        if (c + AHEAD < count) fetch(rows, candidates[c + AHEAD]);
        if (candidates[c] < 0 || candidates[c] >= rows->count) {
            scores[c] = -INFINITY;
            continue;
        }
        high = rows->high + candidates[c] * rows->dimension;
        low = rows->low + candidates[c] * rows->dimension;
        for (; i + 16 <= rows->dimension; i += 16) {
            front = _mm256_add_ps(front, _mm256_mul_ps(sk_joined_256(high + i, low + i), _mm256_load_ps(query + i)));
            back = _mm256_add_ps(back, _mm256_mul_ps(sk_joined_256(high + i + 8, low + i + 8), _mm256_load_ps(query + i + 8)));
        }
        _mm256_storeu_ps(lanes, front);
        _mm256_storeu_ps(lanes + 8, back);
        for (; i < rows->dimension; i++) lanes[i % SK_LANES] += sk_joined(high[i], low[i]) * query[i];
        scores[c] = sk_fold(lanes) * (rows->scale[candidates[c]] / SK_LOW_LEVELS);
    }
}
