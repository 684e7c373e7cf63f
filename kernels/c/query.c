#include "query.h"

#include <string.h>

#include "scalar.h"

static float query_scale(const float *query, int64_t dimension, float levels) {
    uint32_t largest = 0;
    for (int64_t i = 0; i < dimension; i++) {
        uint32_t bits = sk_magnitude_bits(query[i]);
        largest = bits > largest ? bits : largest;
    }
    return sk_scale_of(largest, levels);
}

struct sk_i8_query sk_cut_i8(const float *query, int64_t dimension, int8_t *levels) {
    struct sk_i8_query cut = {levels, 0, query_scale(query, dimension, SK_HIGH_LEVELS)};
    memset(levels, 0, (size_t)sk_padded_levels(dimension));
    if (!(cut.scale > 0)) return cut;
    for (int64_t i = 0; i < dimension; i++) levels[i] = (int8_t)(int32_t)sk_round(query[i] / cut.scale);
    for (int64_t i = 0; i < dimension; i++) cut.sum += levels[i];
    return cut;
}

/* Bit `plane` of eight bytes, byte i's at bit i. */
static inline uint64_t gather_bits(uint64_t bytes, int plane) {
    return ((bytes >> plane & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
}

/* Eight bytes as a number whose lowest byte is the first, on any machine. */
static inline uint64_t read_bytes(const uint8_t *bytes) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

struct sk_bit_query sk_cut_bits(const float *query, const float *centre, int64_t dimension, uint64_t *planes) {
    struct sk_bit_query cut = {planes, query_scale(query, dimension, SK_QUERY_LEVELS), 0};
    uint8_t numbers[SK_MAX_DIMENSION + 64];
    double offset = 0;
    memset(planes, 0, (size_t)sk_plane_words(dimension) * sizeof *planes);
    memset(numbers + dimension, 0, 64);
    /* A level is 2 x number - 15: bit j of the number is the sign of the level's part 2^j. Number 8 is that of 0 (the rest
     * of a division by NaN or 0 would be anything). */
    memset(numbers, 8, (size_t)dimension);
    if (cut.step > 0) {
        for (int64_t i = 0; i < dimension; i++) {
            numbers[i] = (uint8_t)(int32_t)sk_round((query[i] / cut.step + SK_QUERY_LEVELS) * 0.5f);
        }
    }
    for (int64_t i = 0; i < dimension; i += 8) {
        uint64_t bytes = read_bytes(numbers + i);
        for (int j = 0; j < SK_PLANES; j++) planes[i / 64 * SK_PLANES + j] |= gather_bits(bytes, j) << (i % 64);
    }
    for (int64_t i = 0; i < dimension; i++) offset += (double)centre[i] * (double)query[i];
    cut.offset = (float)offset;
    return cut;
}
