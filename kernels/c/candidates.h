/* Candidates' rows lie far apart: without the next ones on their way, rescoring would wait for each. */
#ifndef SATCHEL_CANDIDATES_H
#define SATCHEL_CANDIDATES_H

#include "kernels.h"

enum { SK_FETCHED_TOGETHER = 8, SK_LINE = 64 };

static inline int sk_is_row(const struct sk_rows *rows, int64_t candidate) {
    return candidate >= 0 && candidate < rows->count;
}

/* Called with the place of each candidate in turn, before it is summed; fetches the next group at the begin of each.
 * A line is fetched only when the processor knows its page's address already, so the rows' pages are read from first: a
 * few at once, so that they do not wait for each other. Measured on 600 of a million rows: .25 ms without that reading,
 * .09 ms with it, and .07 ms when the candidates come by rising row, as they do. */
static inline void sk_fetch_ahead(const struct sk_rows *rows, const int64_t *candidates, int64_t place, int64_t count) {
    int64_t d = rows->dimension, first = place == 0 ? 0 : place + SK_FETCHED_TOGETHER, last = place + 2 * SK_FETCHED_TOGETHER;
    if (place % SK_FETCHED_TOGETHER != 0) return;
    last = last < count ? last : count;
    for (int64_t c = first; c < last; c++) {
        const volatile int8_t *high, *low;
        if (!sk_is_row(rows, candidates[c])) continue;
        high = rows->high + candidates[c] * d;
        low = rows->low + candidates[c] * d;
        (void)high[0];
        (void)high[d - 1];
        (void)low[0];
        (void)low[d - 1];
        (void)*(const volatile float *)(rows->scale + candidates[c]);
    }
    for (int64_t c = first; c < last; c++) {
        if (!sk_is_row(rows, candidates[c])) continue;
        for (int64_t i = 0; i < d; i += SK_LINE) {
            __builtin_prefetch(rows->high + candidates[c] * d + i);
            __builtin_prefetch(rows->low + candidates[c] * d + i);
        }
    }
}

#endif
