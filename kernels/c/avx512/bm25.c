/* BM25's two inner loops, sixteen passages at a time. Reference: reference/bm25.py. */
#include "avx512.h"

void sk_avx512_bm25_add(const struct sk_bm25_slice *slice, float *sums) {
    const __m512i first = _mm512_set1_epi32((int32_t)slice->first), size = _mm512_set1_epi32((int32_t)slice->size);
    const __m512 weight = _mm512_set1_ps(slice->weight), floor = _mm512_set1_ps(slice->floor);
    const __m512 slope = _mm512_set1_ps(slice->slope);
    int64_t i = 0;
    for (; i + 16 <= slice->count; i += 16) {
        __m512i places = _mm512_sub_epi32(_mm512_loadu_si512(slice->passages + i), first);
        __mmask16 inside = _mm512_cmplt_epu32_mask(places, size);
        __m512i lengths = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), inside, places, slice->lengths, 4);
        __m512 counts = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(slice->counts + i))));
        __m512 norm = _mm512_add_ps(floor, _mm512_mul_ps(slope, _mm512_cvtepu32_ps(lengths)));
        __m512 part = _mm512_mul_ps(weight, _mm512_div_ps(counts, _mm512_add_ps(counts, norm)));
        __m512 before = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), inside, places, sums, 4);
        _mm512_mask_i32scatter_ps(sums, inside, places, _mm512_add_ps(before, part), 4);
    }
    for (; i < slice->count; i++) sk_bm25_add_one(slice, i, sums);
}

int64_t sk_avx512_bm25_collect(const float *sums, int64_t size, float cut, uint32_t *places) {
    const __m512 least = _mm512_set1_ps(cut);
    __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    int64_t found = 0;
    for (int64_t i = 0; i < size; i += 16) {
        __m512 sum = _mm512_maskz_loadu_ps(sk_lanes_left(size - i), sums + i);
        __mmask16 above = _mm512_cmp_ps_mask(sum, least, _CMP_GT_OQ);
        if (above) {
            /* Compress in a register, then store all of it: a compressing store is microcode on Zen. */
            _mm512_storeu_si512(places + found, _mm512_maskz_compress_epi32(above, numbers));
            found += __builtin_popcount(above);
        }
        numbers = _mm512_add_epi32(numbers, _mm512_set1_epi32(16));
    }
    return found;
}
