/* Candidates' scores from both planes, sixteen dimensions at a time. */
#include <math.h>

#include "../candidates.h"
#include "avx512.h"

void sk_avx512_rescore(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                       float *scores) {
    for (int64_t c = 0; c < count; c++) {
        const int8_t *high, *low;
        __m512 sums = _mm512_setzero_ps();
        sk_fetch_ahead(rows, candidates, c, count);
        if (!sk_is_row(rows, candidates[c])) {
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
