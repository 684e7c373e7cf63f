#ifndef SATCHEL_AVX512_I8_H
#define SATCHEL_AVX512_I8_H

#include "avx512.h"

/* Four queries at a time: each row is loaded once for all of them. */
void sk_avx512_scan_i8_four(const struct sk_rows *rows, int64_t first, int64_t last, const struct sk_i8_query *queries,
                            const uint8_t *allowed, struct sk_selection *selections);

/* Sixty-four bytes of a row, moved by 128 to unsigned; bytes past the row's end meet zeros in the query. */
static inline __m512i sk_load_moved(const int8_t *row, int64_t left) {
    const __m512i move = _mm512_set1_epi8((char)0x80);
    __mmask64 lanes = left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
    return _mm512_xor_si512(_mm512_maskz_loadu_epi8(lanes, row), move);
}

/* Four registers to one that holds, in each 128-bit lane, a partial sum of each. */
static inline __m512i sk_fold_four(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

/* Four results of sk_fold_four to sixteen sums: that of register r and element e in lane 4 r + e. */
static inline __m512i sk_fold_sixteen(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
    __m512i cd = _mm512_add_epi32(_mm512_shuffle_i32x4(c, d, 0x88), _mm512_shuffle_i32x4(c, d, 0xDD));
    return _mm512_add_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xDD));
}

#endif
