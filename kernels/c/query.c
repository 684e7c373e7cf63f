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
    for (int64_t i = 0; i < dimension; i++) {
        levels[i] = (int8_t)sk_round(query[i] / cut.scale);
        cut.sum += levels[i];
    }
    return cut;
}

struct sk_bit_query sk_cut_bits(const float *query, const float *centre, int64_t dimension, uint64_t *planes) {
    struct sk_bit_query cut = {planes, query_scale(query, dimension, SK_QUERY_LEVELS), 0};
    double offset = 0;
    memset(planes, 0, (size_t)sk_plane_words(dimension) * sizeof *planes);
    for (int64_t i = 0; i < dimension; i++) {
        float t = cut.step > 0 ? query[i] / cut.step : 0;
        /* A level is 2 x number - 15: bit j of the number is the sign of the level's part 2^j. */
        float nearest = sk_round((t + SK_QUERY_LEVELS) * 0.5f);
        uint64_t number = (uint64_t)(nearest < 0 ? 0 : nearest > SK_QUERY_LEVELS ? SK_QUERY_LEVELS : nearest);
        for (int j = 0; j < SK_PLANES; j++) planes[i / 64 * SK_PLANES + j] |= (number >> j & 1) << (i % 64);
        offset += (double)centre[i] * (double)query[i];
    }
    cut.offset = (float)offset;
    return cut;
}
