/* AVX-512 with VNNI and VPOPCNTDQ (Intel Ice Lake, AMD Zen 4 and later). Compiled with those flags; see `supported`. */
#include "avx512.h"

static int supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq");
}

const struct sk_backend sk_avx512 = {
    .name = "avx512",
    .supported = supported,
    .quantise = sk_avx512_quantise,
    .sum_values = sk_avx512_sum_values,
    .derive_bits = sk_avx512_derive_bits,
    .scan_i8 = sk_avx512_scan_i8,
    .scan_bits = sk_avx512_scan_bits,
    .rescore = sk_avx512_rescore,
    .bm25_add = sk_avx512_bm25_add,
    .bm25_collect = sk_avx512_bm25_collect,
};
