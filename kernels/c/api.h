/* What library.py calls. All functions return 0, or -1 when memory ran out; arguments were checked by ops.py. */
#ifndef SATCHEL_API_H
#define SATCHEL_API_H

#include "kernels.h"

#if defined(_WIN32)
#define SK_API __declspec(dllexport)
#else
#define SK_API __attribute__((visibility("default")))
#endif

/* Grows with each change of this face; library.py refuses another one. */
enum { SK_API_VERSION = 1 };

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

struct sk_bm25_term {
    int64_t start, end;
    float weight;
};

struct sk_bm25_query {
    const uint32_t *passages;
    const uint16_t *counts;
    const uint32_t *lengths;
    int64_t passage_count;
    const struct sk_bm25_term *terms; /* weight falling */
    int64_t term_count;
    float floor, slope;
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
SK_API int32_t sk_bm25(const struct sk_backend *backend, const struct sk_bm25_query *query);

#endif
