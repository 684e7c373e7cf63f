/* Scan, select, score again: the same for every backend. */
#include <math.h>
#include <string.h>

#include "api.h"
#include "memory.h"
#include "pool.h"
#include "query.h"

enum {
    /* Queries whose selections and levels are in flight together; more are taken in turns. */
    QUERIES_AT_A_TIME = 32,
    /* Bytes of rows that several queries share while they are in the caches: half of a small L2. */
    SHARED_BYTES = 128 * 1024,
    MAX_PARTS = 16,
};

struct scan_job {
    const struct sk_backend *backend;
    const struct sk_rows *rows;
    const struct sk_search *search;
    const struct sk_i8_query *i8;
    const struct sk_bit_query *bits;
    int64_t query_count;
    int parts;
    struct sk_selection *selections; /* [parts, QUERIES_AT_A_TIME] */
};

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void scan_part(void *pointer, int part) {
    struct scan_job *job = pointer;
    const struct sk_rows *rows = job->rows;
    struct sk_selection *selections = job->selections + (int64_t)part * QUERIES_AT_A_TIME;
    int64_t blocks = (rows->count + SK_BLOCK_ROWS - 1) / SK_BLOCK_ROWS;
    int64_t first = blocks * part / job->parts * SK_BLOCK_ROWS;
    int64_t last = smaller(rows->count, blocks * (part + 1) / job->parts * SK_BLOCK_ROWS);
    int64_t step = last - first;
    if (job->query_count > 1) {
        int64_t bytes = job->bits ? rows->dimension / 8 + 4 : rows->dimension + 4;
        step = (SHARED_BYTES / bytes / SK_BLOCK_ROWS + 1) * SK_BLOCK_ROWS;
    }
    for (int64_t row = first; row < last; row += step) {
        int64_t end = smaller(last, row + step);
        if (job->bits) {
            for (int64_t q = 0; q < job->query_count; q++) {
                job->backend->scan_bits(rows, row, end, &job->bits[q], job->search->allowed, &selections[q]);
            }
        } else {
            job->backend->scan_i8(rows, row, end, job->i8, job->query_count, job->search->allowed, selections);
        }
    }
}

/* Writes a finished selection as scores and row numbers, filled up with -inf and -1. */
void sk_write_ranking(const struct sk_selection *selection, int64_t k, float *scores, int64_t *numbers) {
    for (int64_t i = 0; i < k; i++) {
        int found = i < selection->count;
        scores[i] = found ? sk_key_score(selection->keys[i]) : -INFINITY;
        numbers[i] = found ? (int64_t)sk_key_row(selection->keys[i]) : -1;
    }
}

/* Replaces the scan's scores by exact ones and keeps the best k. `numbers` and `scores` have room for all candidates. */
static void score_again(const struct scan_job *job, struct sk_selection *selection, const float *query,
                        int64_t *numbers, float *scores) {
    int64_t count = selection->count;
    for (int64_t i = 0; i < count; i++) numbers[i] = (int64_t)sk_key_row(selection->keys[i]);
    job->backend->rescore(job->rows, query, numbers, count, scores);
    selection->count = 0;
    selection->k = job->search->k;
    selection->threshold = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        if (scores[i] > -INFINITY) selection->keys[selection->count++] = sk_key(scores[i], (uint32_t)numbers[i]);
    }
}

struct scratch {
    uint64_t *keys;
    int8_t *levels;
    uint64_t *planes;
    float *query;
    float *scores;
    int64_t *numbers;
};

static void release(struct scratch *scratch) {
    sk_release(scratch->keys);
    sk_release(scratch->levels);
    sk_release(scratch->planes);
    sk_release(scratch->query);
    sk_release(scratch->scores);
    sk_release(scratch->numbers);
}

int32_t sk_search(const struct sk_backend *backend, const struct sk_rows *rows, const struct sk_search *search) {
    int64_t d = rows->dimension, kept = search->candidates > 0 ? search->candidates : search->k;
    int64_t in_flight = smaller(search->query_count, QUERIES_AT_A_TIME);
    int parts = search->threads < 1 ? 1 : search->threads > MAX_PARTS ? MAX_PARTS : search->threads;
    struct sk_selection selections[MAX_PARTS * QUERIES_AT_A_TIME];
    struct sk_i8_query i8[QUERIES_AT_A_TIME];
    struct sk_bit_query bits[QUERIES_AT_A_TIME];
    int64_t capacity;
    struct scratch s = {0};
    kept = smaller(kept, rows->count > 0 ? rows->count : 1);
    capacity = sk_selection_capacity(kept);
    s.keys = sk_allocate(parts * in_flight * 2 * capacity * (int64_t)sizeof *s.keys);
    s.levels = sk_allocate(in_flight * sk_padded_levels(d));
    s.planes = sk_allocate(in_flight * sk_plane_words(d) * (int64_t)sizeof *s.planes);
    s.query = sk_allocate(sk_padded_floats(d) * (int64_t)sizeof *s.query);
    s.scores = sk_allocate(parts * capacity * (int64_t)sizeof *s.scores);
    s.numbers = sk_allocate(parts * capacity * (int64_t)sizeof *s.numbers);
    if (!s.keys || !s.levels || !s.planes || !s.query || !s.scores || !s.numbers) {
        release(&s);
        return SK_NO_MEMORY;
    }
    for (int64_t start = 0; start < search->query_count; start += in_flight) {
        int64_t count = smaller(in_flight, search->query_count - start);
        struct scan_job job = {backend, rows, search, i8, NULL, count, parts, selections};
        for (int64_t q = 0; q < count; q++) {
            const float *query = search->queries + (start + q) * d;
            if (search->scan == SK_SCAN_BITS) {
                bits[q] = sk_cut_bits(query, rows->centre, d, s.planes + q * sk_plane_words(d));
                job.bits = bits;
            } else {
                i8[q] = sk_cut_i8(query, d, s.levels + q * sk_padded_levels(d));
            }
            for (int part = 0; part < parts; part++) {
                uint64_t *keys = s.keys + (part * in_flight + q) * 2 * capacity;
                selections[part * QUERIES_AT_A_TIME + q] = (struct sk_selection){keys, 0, capacity, kept, -INFINITY};
            }
        }
        sk_pool_run(scan_part, &job, parts);
        for (int64_t q = 0; q < count; q++) {
            struct sk_selection *first = &selections[q];
            for (int part = 1; part < parts; part++) {
                const struct sk_selection *other = &selections[part * QUERIES_AT_A_TIME + q];
                for (int64_t i = 0; i < other->count; i++) {
                    /* Later parts hold higher rows, but earlier keys may not be cut yet: compare keys, not scores. */
                    if (first->count == first->capacity) sk_selection_cut(first);
                    first->keys[first->count++] = other->keys[i];
                }
            }
            sk_selection_cut(first);
            if (search->candidates > 0) {
                const float *query = search->queries + (start + q) * d;
                memset(s.query, 0, (size_t)sk_padded_floats(d) * sizeof *s.query);
                memcpy(s.query, query, (size_t)d * sizeof *query);
                score_again(&job, first, s.query, s.numbers, s.scores);
            }
            first->k = smaller(first->k, search->k);
            sk_selection_finish(first);
            sk_write_ranking(first, search->k, search->scores + (start + q) * search->k,
                             search->numbers + (start + q) * search->k);
        }
    }
    release(&s);
    return 0;
}

int32_t sk_rescore(const struct sk_backend *backend, const struct sk_rows *rows, const float *queries,
                   int64_t query_count, const int64_t *candidates, int64_t candidate_count, float *scores) {
    int64_t bytes = sk_padded_floats(rows->dimension) * (int64_t)sizeof *queries;
    float *query = sk_allocate(bytes);
    if (!query) return SK_NO_MEMORY;
    memset(query, 0, (size_t)bytes);
    for (int64_t q = 0; q < query_count; q++) {
        memcpy(query, queries + q * rows->dimension, (size_t)rows->dimension * sizeof *query);
        backend->rescore(rows, query, candidates + q * candidate_count, candidate_count, scores + q * candidate_count);
    }
    sk_release(query);
    return 0;
}
