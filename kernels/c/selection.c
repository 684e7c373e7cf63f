#include "selection.h"

#include <stdlib.h>

static inline void swap(uint64_t *a, uint64_t *b) {
    uint64_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Middle of three keys; all keys differ, because rows do. */
static uint64_t median(uint64_t a, uint64_t b, uint64_t c) {
    if (a > b) swap(&a, &b);
    if (b > c) swap(&b, &c);
    return a > b ? a : b;
}

/* Moves the k greatest of keys[0..count) to the front: quickselect, with Lomuto's partition, whose loop has no branch to
 * mispredict. */
static void select_greatest(uint64_t *keys, int64_t count, int64_t k) {
    int64_t left = 0, right = count;
    uint64_t seed = 0x9E3779B97F4A7C15u;
    while (right - left > 1) {
        /* Two of three places by a counter hash: no order of scores makes this quadratic by accident or design. */
        uint64_t width = (uint64_t)(right - left), pivot;
        int64_t greater = left;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        pivot = median(keys[left + (int64_t)((seed >> 33) % width)], keys[left + (int64_t)((seed >> 17) % width)],
                       keys[left + (int64_t)(width / 2)]);
        for (int64_t i = left; i < right; i++) {
            uint64_t key = keys[i];
            keys[i] = keys[greater];
            keys[greater] = key;
            greater += key >= pivot;
        }
        /* [left, greater) holds the pivot and what is greater. */
        if (greater == k) return;
        if (greater > k) {
            /* Where nothing was smaller, the pivot was the least: it goes last, and the range shrinks by it. */
            if (greater == right) {
                for (int64_t i = left; i < right; i++) {
                    if (keys[i] == pivot) swap(&keys[i], &keys[right - 1]);
                }
                if (right - 1 == k) return;
                greater = right - 1;
            }
            right = greater;
        } else {
            left = greater;
        }
    }
}

void sk_selection_cut(struct sk_selection *selection) {
    uint64_t *keys = selection->keys, *scratch = keys + selection->capacity, least;
    int64_t kept = 0;
    if (selection->count < selection->k) return;
    memcpy(scratch, keys, (size_t)selection->count * sizeof *keys);
    if (selection->count > selection->k) select_greatest(scratch, selection->count, selection->k);
    least = scratch[0];
    for (int64_t i = 1; i < selection->k; i++) {
        if (scratch[i] < least) least = scratch[i];
    }
    for (int64_t i = 0; i < selection->count; i++) {
        keys[kept] = keys[i];
        kept += keys[i] >= least;
    }
    selection->count = selection->k;
    selection->threshold = sk_key_score(least);
}

static int falling(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

void sk_selection_finish(struct sk_selection *selection) {
    sk_selection_cut(selection);
    if (selection->count > 64) {
        qsort(selection->keys, (size_t)selection->count, sizeof *selection->keys, falling);
        return;
    }
    for (int64_t i = 1; i < selection->count; i++) {
        uint64_t key = selection->keys[i];
        int64_t j = i;
        for (; j > 0 && selection->keys[j - 1] < key; j--) selection->keys[j] = selection->keys[j - 1];
        selection->keys[j] = key;
    }
}
