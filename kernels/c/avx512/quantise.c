/* Rows to planes and planes to signs, sixteen elements at a time. Reference: reference/quantise.py, reference/bits.py. */
#include <string.h>

#include "avx512.h"

static uint32_t largest_magnitude(const float *row, int64_t dimension) {
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    __m512i largest = _mm512_setzero_si512();
    for (int64_t i = 0; i < dimension; i += 16) {
        __m512i bits = _mm512_maskz_loadu_epi32(sk_lanes_left(dimension - i), row + i);
        largest = _mm512_max_epu32(largest, _mm512_and_si512(bits, magnitude));
    }
    return _mm512_reduce_max_epu32(largest);
}

void sk_avx512_quantise(const float *rows, int64_t count, int64_t dimension, int8_t *high, int8_t *low, float *scale) {
    const __m512 levels = _mm512_set1_ps(SK_LOW_LEVELS);
    for (int64_t row = 0; row < count; row++, rows += dimension, high += dimension, low += dimension) {
        __m512 divisor;
        scale[row] = sk_scale_of(largest_magnitude(rows, dimension), SK_HIGH_LEVELS);
        if (!(scale[row] > 0)) {
            memset(high, 0, (size_t)dimension);
            memset(low, 0, (size_t)dimension);
            continue;
        }
        divisor = _mm512_set1_ps(scale[row]);
        for (int64_t i = 0; i < dimension; i += 16) {
            __mmask16 lanes = sk_lanes_left(dimension - i);
            __m512 t = _mm512_div_ps(_mm512_maskz_loadu_ps(lanes, rows + i), divisor);
            __m512 whole = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
            __m512 rest = _mm512_mul_ps(_mm512_sub_ps(t, whole), levels);
            __m128i h = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(whole));
            __m128i l = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(rest));
            _mm_mask_storeu_epi8(high + i, lanes, h);
            _mm_mask_storeu_epi8(low + i, lanes, l);
        }
    }
}

int64_t sk_avx512_sum_values(const struct sk_rows *rows, double *total) {
    int64_t finite = 0;
    for (int64_t row = 0; row < rows->count; row++) {
        float unit = rows->scale[row] / SK_LOW_LEVELS;
        const int8_t *high = rows->high + row * rows->dimension, *low = rows->low + row * rows->dimension;
        finite += sk_is_finite(rows->scale[row]);
        if (!sk_is_finite(unit)) continue;
        for (int64_t i = 0; i < rows->dimension; i += 16) {
            __mmask16 lanes = sk_lanes_left(rows->dimension - i);
            __m512 value = _mm512_mul_ps(sk_joined_512(high + i, low + i, lanes), _mm512_set1_ps(unit));
            __mmask8 front = (__mmask8)lanes, back = (__mmask8)(lanes >> 8);
            __m512d sum = _mm512_maskz_loadu_pd(front, total + i);
            sum = _mm512_add_pd(sum, _mm512_cvtps_pd(_mm512_castps512_ps256(value)));
            _mm512_mask_storeu_pd(total + i, front, sum);
            if (!back) continue;
            sum = _mm512_maskz_loadu_pd(back, total + i + 8);
            sum = _mm512_add_pd(sum, _mm512_cvtps_pd(_mm512_extractf32x8_ps(value, 1)));
            _mm512_mask_storeu_pd(total + i + 8, back, sum);
        }
    }
    return finite;
}

void sk_avx512_derive_bits(const struct sk_rows *rows, uint64_t *bits, float *factors) {
    int64_t words = (rows->dimension + 63) / 64;
    memset(bits, 0, (size_t)((rows->count + 7) / 8 * words * 64));
    for (int64_t row = 0; row < rows->count; row++) {
        const int8_t *high = rows->high + row * rows->dimension, *low = rows->low + row * rows->dimension;
        const __m512 unit = _mm512_set1_ps(rows->scale[row] / SK_LOW_LEVELS);
        uint64_t *block = bits + row / 8 * words * 8 + row % 8;
        __m512 squares = _mm512_setzero_ps(), magnitudes = _mm512_setzero_ps();
        float magnitude;
        if (!sk_is_finite(rows->scale[row])) {
            factors[row] = sk_nan();
            continue;
        }
        for (int64_t i = 0; i < rows->dimension; i += 16) {
            __mmask16 lanes = sk_lanes_left(rows->dimension - i);
            __m512 value = _mm512_mul_ps(sk_joined_512(high + i, low + i, lanes), unit);
            __m512 residual = _mm512_maskz_sub_ps(lanes, value, _mm512_maskz_loadu_ps(lanes, rows->centre + i));
            uint64_t signs = _mm512_mask_cmp_ps_mask(lanes, residual, _mm512_setzero_ps(), _CMP_GE_OQ);
            squares = _mm512_add_ps(squares, _mm512_mul_ps(residual, residual));
            magnitudes = _mm512_add_ps(magnitudes, _mm512_abs_ps(residual));
            block[i / 64 * 8] |= signs << (i % 64);
        }
        magnitude = sk_fold_512(magnitudes);
        factors[row] = magnitude > 0 ? sk_fold_512(squares) / magnitude : 0;
    }
}
