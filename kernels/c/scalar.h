/* One element at a time: what the serial backend is made of, and what the others do with their last few rows. */
#ifndef SATCHEL_SCALAR_H
#define SATCHEL_SCALAR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels.h"

#define SK_HIGH_LEVELS 127.0f
#define SK_LOW_LEVELS 254.0f
#define SK_QUERY_LEVELS 15.0f
/* Smaller scales count as 0. 2^-100: a subnormal element is then below 2^-26 of a level, so that a thread which flushes
 * subnormals to zero (torch can switch that on) quantises to the same bytes. */
#define SK_SMALLEST_SCALE 0x1p-100f
#define SK_INFINITY_BITS 0x7F800000u

static inline uint32_t sk_float_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* |x| as an integer of the same order; infinities and NaN are the greatest. */
static inline uint32_t sk_magnitude_bits(float x) {
    return sk_float_bits(x) & 0x7FFFFFFFu;
}

static inline int sk_is_finite(float x) {
    return sk_magnitude_bits(x) < SK_INFINITY_BITS;
}

static inline float sk_nan(void) {
    uint32_t bits = 0x7FC00000u;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A row's scale from its greatest magnitude: NaN for a row that is not finite, 0 for one that is as good as zero. */
static inline float sk_scale_of(uint32_t largest_bits, float levels) {
    float largest, scale;
    if (largest_bits >= SK_INFINITY_BITS) return sk_nan();
    memcpy(&largest, &largest_bits, sizeof largest);
    scale = largest / levels;
    return scale < SK_SMALLEST_SCALE ? 0.0f : scale;
}

/* To the nearest integer, halves to even, for |x| < 2^22: adding 1.5 x 2^23 leaves no bits for a fraction. */
static inline float sk_round(float x) {
    return (x + 0x1.8p23f) - 0x1.8p23f;
}

/* Both planes as one exact float. */
static inline float sk_joined(int8_t high, int8_t low) {
    return (float)(254 * high + low);
}

/* The fixed order of a float sum's last step: the upper half of the lanes onto the lower. */
static inline float sk_fold(float lanes[SK_LANES]) {
    for (int width = SK_LANES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    }
    return lanes[0];
}

static inline int sk_popcount(uint64_t x) {
#if defined(__GNUC__)
    return __builtin_popcountll(x);
#else
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return (int)(((x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu) * 0x0101010101010101u >> 56);
#endif
}

/* Estimated score from the weighted count of differing bits. */
static inline float sk_bit_score(const struct sk_rows *rows, int64_t row, int64_t differing,
                                 const struct sk_bit_query *query) {
    float agreement = (float)(15 * rows->dimension - 2 * differing);
    return rows->factors[row] * agreement * query->step + query->offset;
}

/* One posting's part of a passage's score. */
static inline float sk_bm25_part(float count, float length, float weight, float floor, float slope) {
    return weight * (count / (count + (floor + slope * length)));
}

/* Adds posting i, unless a broken file points outside the block. */
static inline void sk_bm25_add_one(const struct sk_bm25_slice *slice, int64_t i, float *sums) {
    uint32_t place = slice->passages[i] - slice->first;
    if (place >= slice->size) return;
    sums[place] += sk_bm25_part((float)slice->counts[i], (float)slice->lengths[place], slice->weight, slice->floor,
                                slice->slope);
}

#endif
