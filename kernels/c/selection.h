/* The best k of a stream of (score, row), in rising rows: score falling, then row number rising.
 *
 * Both are one 64-bit key, so that an order of keys is the order of the ranking and ties need no code. Rows above the
 * threshold are appended; only a full buffer is cut back to its k best (quickselect), which raises the threshold. That is
 * cheaper than a heap: an append is one store, and a scan of a million rows cuts back about five times.
 *
 * A score of NaN or -inf is never kept: neither is greater than the first threshold, -inf.
 */
#ifndef SATCHEL_SELECTION_H
#define SATCHEL_SELECTION_H

#include <stdint.h>
#include <string.h>

struct sk_selection {
    uint64_t *keys; /* room for twice the capacity: the second half is scratch for a cut */
    int64_t count;
    int64_t capacity; /* > k */
    int64_t k;
    float threshold; /* only greater scores can still matter */
};

/* Order-preserving bits of a float that is not NaN; -0.0 becomes 0.0, so that the two tie. */
static inline uint32_t sk_ordered(float score) {
    uint32_t bits;
    score += 0.0f;
    memcpy(&bits, &score, sizeof bits);
    return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}

static inline uint64_t sk_key(float score, uint32_t row) {
    return (uint64_t)sk_ordered(score) << 32 | (uint32_t)~row;
}

static inline float sk_key_score(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    float score;
    bits ^= bits >> 31 ? 0x80000000u : 0xFFFFFFFFu;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static inline uint32_t sk_key_row(uint64_t key) {
    return ~(uint32_t)key;
}

/* Room for k keys. A small buffer is cut often, a great one has a stale threshold and takes in rows for nothing: twice k
 * costs least, for 10 of 10,000 as for 200 of 1,000,000. At least k + 8, so that a cut makes room for eight. */
static inline int64_t sk_selection_capacity(int64_t k) {
    return 2 * k + 32;
}

/* Cuts back to the k best keys and raises the threshold. The keys stay in their order, which is that of the rows: who looks
 * the rows up next then walks through memory in one direction. */
void sk_selection_cut(struct sk_selection *selection);

/* Leaves the k best keys (or fewer), best first. */
void sk_selection_finish(struct sk_selection *selection);

/* The caller has seen that score > threshold. */
static inline void sk_selection_offer(struct sk_selection *selection, float score, int64_t row) {
    if (selection->count == selection->capacity) {
        sk_selection_cut(selection);
        if (!(score > selection->threshold)) return;
    }
    selection->keys[selection->count++] = sk_key(score, (uint32_t)row);
}

#endif
