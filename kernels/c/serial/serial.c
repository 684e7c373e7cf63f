/* Portable C: runs everywhere, and says in the plainest way what the other backends must compute. */
#include <math.h>
#include <string.h>

#include "../kernels.h"
#include "../scalar.h"

static int supported(void) {
    return 1;
}

static void quantise(const float *rows, int64_t count, int64_t dimension, int8_t *high, int8_t *low, float *scale) {
    for (int64_t row = 0; row < count; row++, rows += dimension, high += dimension, low += dimension) {
        uint32_t largest = 0;
        for (int64_t i = 0; i < dimension; i++) {
            uint32_t bits = sk_magnitude_bits(rows[i]);
            largest = bits > largest ? bits : largest;
        }
        scale[row] = sk_scale_of(largest, SK_HIGH_LEVELS);
        if (!(scale[row] > 0)) {
            memset(high, 0, (size_t)dimension);
            memset(low, 0, (size_t)dimension);
            continue;
        }
        for (int64_t i = 0; i < dimension; i++) {
            float t = rows[i] / scale[row];
            float whole = sk_round(t);
            high[i] = (int8_t)whole;
            low[i] = (int8_t)sk_round((t - whole) * SK_LOW_LEVELS);
        }
    }
}

static int64_t sum_values(const struct sk_rows *rows, double *total) {
    int64_t finite = 0;
    for (int64_t row = 0; row < rows->count; row++) {
        float unit = rows->scale[row] / SK_LOW_LEVELS;
        const int8_t *high = rows->high + row * rows->dimension, *low = rows->low + row * rows->dimension;
        finite += sk_is_finite(rows->scale[row]);
        if (!sk_is_finite(unit)) continue;
        for (int64_t i = 0; i < rows->dimension; i++) total[i] += (double)(sk_joined(high[i], low[i]) * unit);
    }
    return finite;
}

static void derive_bits(const struct sk_rows *rows, uint64_t *bits, float *factors) {
    int64_t words = (rows->dimension + 63) / 64;
    memset(bits, 0, (size_t)((rows->count + 7) / 8 * words * 64));
    for (int64_t row = 0; row < rows->count; row++) {
        float unit = rows->scale[row] / SK_LOW_LEVELS;
        const int8_t *high = rows->high + row * rows->dimension, *low = rows->low + row * rows->dimension;
        uint64_t *block = bits + row / 8 * words * 8 + row % 8;
        float squares[SK_LANES] = {0}, magnitudes[SK_LANES] = {0}, magnitude;
        if (!sk_is_finite(rows->scale[row])) {
            factors[row] = sk_nan();
            continue;
        }
        for (int64_t i = 0; i < rows->dimension; i++) {
            float residual = sk_joined(high[i], low[i]) * unit - rows->centre[i];
            squares[i % SK_LANES] += residual * residual;
            magnitudes[i % SK_LANES] += fabsf(residual);
            block[i / 64 * 8] |= (uint64_t)(residual >= 0) << (i % 64);
        }
        magnitude = sk_fold(magnitudes);
        factors[row] = magnitude > 0 ? sk_fold(squares) / magnitude : 0;
    }
}

static void scan_i8(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                    int64_t query_count, const uint8_t *allowed, struct sk_selection *selections) {
    for (int64_t row = first; row < last; row++) {
        const int8_t *high = rows->high + row * rows->dimension;
        if (!sk_is_allowed(allowed, row)) continue;
        for (int64_t q = 0; q < query_count; q++) {
            int32_t dot = 0;
            float score;
            for (int64_t i = 0; i < rows->dimension; i++) dot += high[i] * queries[q].levels[i];
            score = (float)dot * rows->scale[row] * queries[q].scale;
            if (score > selections[q].threshold) sk_selection_offer(&selections[q], score, row);
        }
    }
}

static void scan_bits(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_bit_query *query,
                      const uint8_t *allowed, struct sk_selection *selection) {
    int64_t words = (rows->dimension + 63) / 64;
    for (int64_t row = first; row < last; row++) {
        const uint64_t *block = rows->bits + row / 8 * words * 8 + row % 8;
        int64_t differing = 0;
        float score;
        if (!sk_is_allowed(allowed, row)) continue;
        for (int64_t w = 0; w < words; w++) {
            for (int j = 0; j < SK_PLANES; j++) {
                differing += (int64_t)sk_popcount(block[w * 8] ^ query->planes[w * SK_PLANES + j]) << j;
            }
        }
        score = sk_bit_score(rows, row, differing, query);
        if (score > selection->threshold) sk_selection_offer(selection, score, row);
    }
}

static void rescore(const struct sk_rows *rows, const float *query, const int64_t *candidates, int64_t count,
                    float *scores) {
    for (int64_t c = 0; c < count; c++) {
        float lanes[SK_LANES] = {0};
        const int8_t *high, *low;
        if (candidates[c] < 0 || candidates[c] >= rows->count) {
            scores[c] = -INFINITY;
            continue;
        }
        high = rows->high + candidates[c] * rows->dimension;
        low = rows->low + candidates[c] * rows->dimension;
        for (int64_t i = 0; i < rows->dimension; i++) lanes[i % SK_LANES] += sk_joined(high[i], low[i]) * query[i];
        scores[c] = sk_fold(lanes) * (rows->scale[candidates[c]] / SK_LOW_LEVELS);
    }
}

static void bm25_add(const struct sk_bm25_slice *slice, float *sums) {
    for (int64_t i = 0; i < slice->count; i++) sk_bm25_add_one(slice, i, sums);
}

static int64_t bm25_collect(const float *sums, int64_t size, float cut, uint32_t *places) {
    int64_t found = 0;
    for (int64_t i = 0; i < size; i++) {
        places[found] = (uint32_t)i;
        found += sums[i] > cut;
    }
    return found;
}

const struct sk_backend sk_serial = {
    .name = "serial",
    .supported = supported,
    .quantise = quantise,
    .sum_values = sum_values,
    .derive_bits = derive_bits,
    .scan_i8 = scan_i8,
    .scan_bits = scan_bits,
    .rescore = rescore,
    .bm25_add = bm25_add,
    .bm25_collect = bm25_collect,
};
