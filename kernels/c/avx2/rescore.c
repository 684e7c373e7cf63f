/* Candidates' scores from both planes, eight dimensions at a time. */
#include <math.h>

#include "../candidates.h"
#include "avx2.h"

void sk_avx2_rescore(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                     float *scores) {
    for (int64_t c = 0; c < count; c++) {
        const int8_t *high, *low;
        __m256 front = _mm256_setzero_ps(), back = front;
        float lanes[SK_LANES];
        int64_t i = 0;
        sk_fetch_ahead(rows, candidates, c, count);
        if (!sk_is_row(rows, candidates[c])) {
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
