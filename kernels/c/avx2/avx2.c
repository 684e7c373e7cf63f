/* AVX2 (Intel Haswell, AMD Excavator and later). Compiled with that flag; see `supported`. */
#include "avx2.h"

static int supported(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

static void bm25_add(const struct sk_bm25_slice *slice, float *sums) {
    /* Without scatter a loop over postings is the fastest; this one is compiled with AVX's encodings. */
    for (int64_t i = 0; i < slice->count; i++) sk_bm25_add_one(slice, i, sums);
}

static int64_t bm25_collect(const float *sums, int64_t size, float cut, uint32_t *places) {
    const __m256 least = _mm256_set1_ps(cut);
    int64_t found = 0;
    for (int64_t i = 0; i < size; i += 8) {
        /* The array is longer than a block, and its rest is 0. */
        __m256 greater = _mm256_cmp_ps(_mm256_loadu_ps(sums + i), least, _CMP_GT_OQ);
        unsigned above = (unsigned)_mm256_movemask_ps(greater);
        for (; above; above &= above - 1) places[found++] = (uint32_t)(i + __builtin_ctz(above));
    }
    return found;
}

const struct sk_backend sk_avx2 = {
    .name = "avx2",
    .supported = supported,
    .quantise = sk_avx2_quantise,
    .sum_values = sk_avx2_sum_values,
    .derive_bits = sk_avx2_derive_bits,
    .scan_i8 = sk_avx2_scan_i8,
    .scan_bits = sk_avx2_scan_bits,
    .rescore = sk_avx2_rescore,
    .bm25_add = bm25_add,
    .bm25_collect = bm25_collect,
};
