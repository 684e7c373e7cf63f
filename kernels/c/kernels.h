/* The contract between the shared driver (c/ *.c) and the backends (c/serial, c/avx2, c/avx512).
 *
 * Every backend gives the same bytes: integer sums are exact, float sums run in one fixed order (sixteen lanes, element i in
 * lane i % 16, halves folded: see lanes.h and reference/lanes.py), and nothing is contracted to FMA (-ffp-contract=off).
 * A backend reads rows of any alignment; only what the driver allocates (queries, accumulators) is aligned and padded.
 */
#ifndef SATCHEL_KERNELS_H
#define SATCHEL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "selection.h"

enum {
    SK_MAX_DIMENSION = 4096, /* ops.py refuses more */
    SK_BLOCK_ROWS = 8,      /* rows in a block of 1-bit rows */
    SK_PLANES = 4,          /* bits of a query level in a bit scan */
    SK_LANES = 16,          /* lanes of a float sum */
    SK_QUERY_PADDING = 64,  /* 8-bit queries are zero-padded to a multiple of this, float queries to SK_LANES */
    SK_BM25_BLOCK = 8192,   /* passages whose scores are summed at a time: 32 KiB of accumulators stay in L1 */
};

/* Rows in place; see arrays.py for the layouts. bits, factors and centre may be NULL. */
struct sk_rows {
    const int8_t *high;
    const int8_t *low;
    const float *scale;
    const uint64_t *bits;
    const float *factors;
    const float *centre;
    int64_t count;
    int64_t dimension;
};

/* An 8-bit query: value = scale x level. */
struct sk_i8_query {
    const int8_t *levels; /* padded with zeros, 64-byte aligned */
    int32_t sum;          /* of the levels */
    float scale;          /* NaN when the query is not finite: no score is then found */
};

/* A 4-bit query: value = step x level, level odd in -15..15; plane j holds the sign of the level's part 2^j. */
struct sk_bit_query {
    const uint64_t *planes; /* [words][SK_PLANES] */
    float step;
    float offset;
};

/* One term's postings within one block of passages. */
struct sk_bm25_slice {
    const uint32_t *passages;
    const uint16_t *counts;
    int64_t count;
    const uint32_t *lengths; /* of the block's first passage on */
    uint32_t first;          /* the block's first passage */
    uint32_t size;           /* passages in the block; postings outside it are ignored */
    float weight, floor, slope;
};

struct sk_backend {
    const char *name;
    /* 1 if this processor and operating system can run it. */
    int (*supported)(void);
    void (*quantise)(const float *rows, int64_t count, int64_t dimension, int8_t *high, int8_t *low, float *scale);
    /* Adds the rows' values to total, double [dimension], row after row; returns how many rows were finite. */
    int64_t (*sum_values)(const struct sk_rows *rows, double *total);
    /* Writes bits and factors of all rows; uses rows->centre. */
    void (*derive_bits)(const struct sk_rows *rows, uint64_t *bits, float *factors);
    /* Offers rows first..last-1 to one selection a query. */
    void (*scan_i8)(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                    int64_t query_count, const uint8_t *allowed, struct sk_selection *selections);
    /* The same; first is a multiple of SK_BLOCK_ROWS. */
    void (*scan_bits)(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_bit_query *query,
                      const uint8_t *allowed, struct sk_selection *selection);
    /* Scores of candidates from both planes; -inf for a candidate that is no row. query is zero-padded to SK_LANES. */
    void (*rescore)(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                    float *scores);
    /* Adds a term's scores to sums[passage - first]. */
    void (*bm25_add)(const struct sk_bm25_slice *slice, float *sums);
    /* Writes the places, rising, where sums > cut; returns how many. places has room for size + SK_LANES. */
    int64_t (*bm25_collect)(const float *sums, int64_t size, float cut, uint32_t *places);
};

extern const struct sk_backend sk_serial;
extern const struct sk_backend sk_avx2;
extern const struct sk_backend sk_avx512;

static inline int sk_is_allowed(const uint8_t *allowed, int64_t row) {
    return allowed == NULL || (allowed[row >> 3] >> (row & 7) & 1);
}

#endif
