/* Float queries cut to what the scans read. Reference: reference/quantise.py, reference/bits.py. */
#ifndef SATCHEL_QUERY_H
#define SATCHEL_QUERY_H

#include "kernels.h"

/* Elements, bytes and words that one query takes once it is padded. */
static inline int64_t sk_padded_floats(int64_t dimension) {
    return (dimension + SK_LANES - 1) / SK_LANES * SK_LANES;
}
static inline int64_t sk_padded_levels(int64_t dimension) {
    return (dimension + SK_QUERY_PADDING - 1) / SK_QUERY_PADDING * SK_QUERY_PADDING;
}
static inline int64_t sk_plane_words(int64_t dimension) {
    return (dimension + 63) / 64 * SK_PLANES;
}

/* Fills levels (sk_padded_levels bytes) and returns the query that refers to them. */
struct sk_i8_query sk_cut_i8(const float *query, int64_t dimension, int8_t *levels);

/* Fills planes (sk_plane_words words) and returns the query that refers to them. */
struct sk_bit_query sk_cut_bits(const float *query, const float *centre, int64_t dimension, uint64_t *planes);

#endif
