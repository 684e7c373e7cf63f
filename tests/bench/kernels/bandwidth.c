/* What memory gives a single thread on this machine: the floor that scans are measured against.
 * Compiled by the benchmark with -O3 -march=native, so that the compiler uses the widest loads there are. */
#include <stddef.h>
#include <stdint.h>

/* Sums all words of an array; many sums, so that no addition waits for another. Lines that lie `ahead` bytes further are
 * fetched (0: none are, beyond what the processor does by itself). */
uint64_t read_words(const uint64_t *words, size_t count, size_t ahead) {
    uint64_t sums[64] = {0}, total = 0;
    for (size_t i = 0; i + 64 <= count; i += 64) {
        if (ahead) {
            for (size_t line = 0; line < 64; line += 8) __builtin_prefetch((const char *)(words + i + line) + ahead);
        }
        for (size_t j = 0; j < 64; j++) sums[j] += words[i + j];
    }
    for (size_t j = 0; j < 64; j++) total += sums[j];
    return total;
}

/* Reads four bytes for every two it writes, in two streams, as quantise does: no arithmetic to speak of. */
void halve_words(const uint32_t *words, size_t count, uint8_t *first, uint8_t *second) {
    for (size_t i = 0; i < count; i++) {
        first[i] = (uint8_t)(words[i] >> 8);
        second[i] = (uint8_t)words[i];
    }
}
