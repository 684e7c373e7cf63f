/* What library.py calls. All functions return 0, or SK_NO_MEMORY; arguments were checked by ops.py. */
#ifndef SATCHEL_API_H
#define SATCHEL_API_H

#include "kernels.h"

#if defined(_WIN32)
#define SK_API __declspec(dllexport)
#else
#define SK_API __attribute__((visibility("default")))
#endif

/* Grows with each change of this face; library.py refuses another one. */
enum { SK_API_VERSION = 2 };
enum { SK_NO_MEMORY = -1, SK_WRONG_TERM = -2 };

enum sk_scan { SK_SCAN_I8, SK_SCAN_BITS };

struct sk_search {
    const float *queries; /* [query_count, dimension] */
    int64_t query_count;
    int64_t k;
    int64_t candidates;     /* rows that the scan hands to rescoring; 0: the scan's own ranking is the answer */
    const uint8_t *allowed; /* or NULL */
    float *scores;          /* out [query_count, k] */
    int64_t *numbers;       /* out [query_count, k] */
    int32_t scan;           /* enum sk_scan */
    int32_t threads;
};

/* Term counts in compressed sparse columns; see arrays.py. */
struct sk_postings {
    const uint64_t *offsets; /* [term_count + 1] */
    const uint32_t *passages;
    const uint16_t *counts;
    const uint32_t *lengths;
    int64_t term_count, posting_count, passage_count;
};

struct sk_bm25_query {
    const int64_t *terms; /* term numbers, in any order, repeats allowed; not checked yet */
    int64_t term_count;
    double floor, slope; /* see backend.py, Bm25Weights */
    int64_t k;
    const uint8_t *allowed;
    float *scores;
    int64_t *numbers;
};

SK_API int32_t sk_api_version(void);
/* Backends from the fastest to the plainest; NULL past the last. */
SK_API const struct sk_backend *sk_backend_at(int32_t index);
SK_API const char *sk_backend_name(const struct sk_backend *backend);
SK_API int32_t sk_backend_supported(const struct sk_backend *backend);

SK_API int32_t sk_quantise(const struct sk_backend *backend, const float *rows, int64_t count, int64_t dimension,
                           int8_t *high, int8_t *low, float *scale);
/* Writes rows->bits, factors and centre, though struct sk_rows calls them const. */
SK_API int32_t sk_derive_bits(const struct sk_backend *backend, const struct sk_rows *rows);
SK_API int32_t sk_search(const struct sk_backend *backend, const struct sk_rows *rows, const struct sk_search *search);
SK_API int32_t sk_rescore(const struct sk_backend *backend, const struct sk_rows *rows, const float *queries,
                          int64_t query_count, const int64_t *candidates, int64_t candidate_count, float *scores);
/* SK_WRONG_TERM when a number is no term's, or a term's offsets lie. */
SK_API int32_t sk_bm25(const struct sk_backend *backend, const struct sk_postings *postings,
                       const struct sk_bm25_query *query);

#endif
