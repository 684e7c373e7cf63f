#include "api.h"

#include <string.h>

#include "memory.h"

static const struct sk_backend *const backends[] = {
#if defined(SK_HAVE_AVX512)
    &sk_avx512,
#endif
#if defined(SK_HAVE_AVX2)
    &sk_avx2,
#endif
    &sk_serial,
};

int32_t sk_api_version(void) {
    return SK_API_VERSION;
}

const struct sk_backend *sk_backend_at(int32_t index) {
    int32_t count = (int32_t)(sizeof backends / sizeof backends[0]);
    return index >= 0 && index < count ? backends[index] : NULL;
}

const char *sk_backend_name(const struct sk_backend *backend) {
    return backend->name;
}

int32_t sk_backend_supported(const struct sk_backend *backend) {
    return backend->supported();
}

int32_t sk_quantise(const struct sk_backend *backend, const float *rows, int64_t count, int64_t dimension, int8_t *high,
                    int8_t *low, float *scale) {
    backend->quantise(rows, count, dimension, high, low, scale);
    return 0;
}

int32_t sk_derive_bits(const struct sk_backend *backend, const struct sk_rows *rows) {
    int64_t bytes = rows->dimension * (int64_t)sizeof(double), finite;
    double *total = sk_allocate(bytes);
    float *centre = (float *)rows->centre;
    if (!total) return SK_NO_MEMORY;
    memset(total, 0, (size_t)bytes);
    finite = backend->sum_values(rows, total);
    for (int64_t i = 0; i < rows->dimension; i++) centre[i] = (float)(total[i] / (double)(finite > 0 ? finite : 1));
    sk_release(total);
    backend->derive_bits(rows, (uint64_t *)rows->bits, (float *)rows->factors);
    return 0;
}
