/* Rows to planes and planes to signs, eight elements at a time, a row's last few one by one.
 * Reference: reference/quantise.py, reference/bits.py. */
#include <string.h>

#include "avx2.h"

static uint32_t largest_magnitude(const float *row, int64_t dimension) {
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    __m256i largest = _mm256_setzero_si256();
    uint32_t lanes[8], best = 0;
    int64_t i = 0;
    for (; i + 8 <= dimension; i += 8) {
        __m256i bits = _mm256_and_si256(_mm256_loadu_si256((const void *)(row + i)), magnitude);
        largest = _mm256_max_epu32(largest, bits);
    }
    _mm256_storeu_si256((void *)lanes, largest);
    for (int j = 0; j < 8; j++) best = lanes[j] > best ? lanes[j] : best;
    for (; i < dimension; i++) best = sk_magnitude_bits(row[i]) > best ? sk_magnitude_bits(row[i]) : best;
    return best;
}

/* Eight small integers to bytes. */
static inline void store_bytes(int8_t *bytes, __m256 whole) {
    __m256i wide = _mm256_cvtps_epi32(whole);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((void *)bytes, _mm_packs_epi16(words, words));
}

void sk_avx2_quantise(const float *rows, int64_t count, int64_t dimension, int8_t *high, int8_t *low, float *scale) {
    for (int64_t row = 0; row < count; row++, rows += dimension, high += dimension, low += dimension) {
        __m256 divisor;
        int64_t i = 0;
        scale[row] = sk_scale_of(largest_magnitude(rows, dimension), SK_HIGH_LEVELS);
        if (!(scale[row] > 0)) {
            memset(high, 0, (size_t)dimension);
            memset(low, 0, (size_t)dimension);
            continue;
        }
        divisor = _mm256_set1_ps(scale[row]);
        for (; i + 8 <= dimension; i += 8) {
            __m256 t = _mm256_div_ps(_mm256_loadu_ps(rows + i), divisor);
            __m256 whole = _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
            store_bytes(high + i, whole);
            store_bytes(low + i, _mm256_mul_ps(_mm256_sub_ps(t, whole), _mm256_set1_ps(SK_LOW_LEVELS)));
        }
        for (; i < dimension; i++) {
            float t = rows[i] / scale[row], whole = sk_round(t);
            high[i] = (int8_t)whole;
            low[i] = (int8_t)sk_round((t - whole) * SK_LOW_LEVELS);
        }
    }
}

int64_t sk_avx2_sum_values(const struct sk_rows *rows, double *total) {
    int64_t finite = 0;
    for (int64_t row = 0; row < rows->count; row++) {
        float unit = rows->scale[row] / SK_LOW_LEVELS;
        const int8_t *high = rows->high + row * rows->dimension, *low = rows->low + row * rows->dimension;
        int64_t i = 0;
        finite += sk_is_finite(rows->scale[row]);
        if (!sk_is_finite(unit)) continue;
        for (; i + 8 <= rows->dimension; i += 8) {
            __m256 value = _mm256_mul_ps(sk_joined_256(high + i, low + i), _mm256_set1_ps(unit));
            __m256d front = _mm256_cvtps_pd(_mm256_castps256_ps128(value));
            __m256d back = _mm256_cvtps_pd(_mm256_extractf128_ps(value, 1));
            _mm256_storeu_pd(total + i, _mm256_add_pd(_mm256_loadu_pd(total + i), front));
            _mm256_storeu_pd(total + i + 4, _mm256_add_pd(_mm256_loadu_pd(total + i + 4), back));
        }
        for (; i < rows->dimension; i++) total[i] += (double)(sk_joined(high[i], low[i]) * unit);
    }
    return finite;
}

void sk_avx2_derive_bits(const struct sk_rows *rows, uint64_t *bits, float *factors) {
    int64_t words = (rows->dimension + 63) / 64;
    memset(bits, 0, (size_t)((rows->count + 7) / 8 * words * 64));
    for (int64_t row = 0; row < rows->count; row++) {
        float unit = rows->scale[row] / SK_LOW_LEVELS, magnitude;
        const int8_t *high = rows->high + row * rows->dimension, *low = rows->low + row * rows->dimension;
        uint64_t *block = bits + row / 8 * words * 8 + row % 8;
        __m256 squares[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()}, magnitudes[2] = {squares[0], squares[1]};
        float square_lanes[SK_LANES], magnitude_lanes[SK_LANES];
        int64_t i = 0;
        if (!sk_is_finite(rows->scale[row])) {
            factors[row] = sk_nan();
            continue;
        }
        for (; i + 8 <= rows->dimension; i += 8) {
            __m256 value = _mm256_mul_ps(sk_joined_256(high + i, low + i), _mm256_set1_ps(unit));
            __m256 residual = _mm256_sub_ps(value, _mm256_loadu_ps(rows->centre + i));
            __m256 positive = _mm256_cmp_ps(residual, _mm256_setzero_ps(), _CMP_GE_OQ);
            int half = (int)(i / 8 % 2);
            squares[half] = _mm256_add_ps(squares[half], _mm256_mul_ps(residual, residual));
            magnitudes[half] = _mm256_add_ps(magnitudes[half], sk_absolute_256(residual));
            block[i / 64 * 8] |= (uint64_t)(unsigned)_mm256_movemask_ps(positive) << (i % 64);
        }
        for (int half = 0; half < 2; half++) {
            _mm256_storeu_ps(square_lanes + 8 * half, squares[half]);
            _mm256_storeu_ps(magnitude_lanes + 8 * half, magnitudes[half]);
        }
        for (; i < rows->dimension; i++) {
            float residual = sk_joined(high[i], low[i]) * unit - rows->centre[i];
            square_lanes[i % SK_LANES] += residual * residual;
            magnitude_lanes[i % SK_LANES] += fabsf(residual);
            block[i / 64 * 8] |= (uint64_t)(residual >= 0) << (i % 64);
        }
        magnitude = sk_fold(magnitude_lanes);
        factors[row] = magnitude > 0 ? sk_fold(square_lanes) / magnitude : 0;
    }
}
