/* 64-byte aligned scratch memory. */
#ifndef SATCHEL_MEMORY_H
#define SATCHEL_MEMORY_H

#include <stdint.h>
#include <stdlib.h>

#if defined(_WIN32)
#include <malloc.h>
static inline void *sk_allocate(int64_t bytes) {
    return _aligned_malloc((size_t)(bytes + 63) / 64 * 64 + 64, 64);
}
static inline void sk_release(void *memory) {
    _aligned_free(memory);
}
#else
static inline void *sk_allocate(int64_t bytes) {
    return aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64 + 64);
}
static inline void sk_release(void *memory) {
    free(memory);
}
#endif

#endif
