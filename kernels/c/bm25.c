/* BM25, a block of passages at a time, with MaxScore inside the block.
 *
 * Terms come by falling weight, which bounds what a term can add (count / (count + ...) <= 1). Their postings are summed
 * in that order until the terms that are left cannot lift an unseen passage into the top k: those are the long lists of
 * common words, and they are only looked up for passages that can still win. Each passage's parts are added in the
 * order of the terms, pruned or not, so the scores are those of a full evaluation, to the bit.
 *
 * Comparisons with a bound leave room for the rounding of sums: pruning less is always right.
 */
#include "bm25.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "scalar.h"

void sk_write_ranking(const struct sk_selection *selection, int64_t k, float *scores, int64_t *numbers);

/* A list this short is cheaper to sum than to reason about. */
enum { SHORT_LIST = 256 };
#define BOUND_SLACK 1.0001

struct evaluation {
    const struct sk_backend *backend;
    const struct sk_postings *postings;
    const struct sk_bm25_query *query;
    struct sk_bm25_term *terms;
    int64_t term_count;
    struct sk_selection best;  /* of all passages so far */
    struct sk_selection local; /* of partial scores in the block */
    float *sums;
    uint32_t *places;
    int64_t first; /* passage of the block */
    int64_t size;
};

/* First posting in [from, end) whose passage is >= passage; gallops, because it is near. */
static int64_t find_passage(const uint32_t *passages, int64_t from, int64_t end, uint64_t passage) {
    int64_t step = 1, low = from, high;
    while (low < end && passages[low] < passage) {
        if (end - low <= step) {
            step = end - low;
            break;
        }
        if (passages[low + step] >= passage) break;
        low += step;
        step *= 2;
    }
    high = end - low < step ? end : low + step;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (passages[middle] < passage) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int can_matter(double score_bound, float threshold) {
    return score_bound * BOUND_SLACK > (double)threshold;
}

/* What terms i and later can add at most. */
static double bound_from(const struct evaluation *e, int64_t i) {
    return i < e->term_count ? e->terms[i].bound : 0;
}

/* Greatest threshold that the block's partial sums prove: the k-th best of them. */
static float local_threshold(struct evaluation *e) {
    int64_t found = e->backend->bm25_collect(e->sums, e->size, 0, e->places);
    e->local.count = 0;
    e->local.threshold = -INFINITY;
    for (int64_t i = 0; i < found; i++) {
        float sum = e->sums[e->places[i]];
        int64_t passage = e->first + e->places[i];
        if (sum > e->local.threshold && sk_is_allowed(e->query->allowed, passage)) {
            sk_selection_offer(&e->local, sum, passage);
        }
    }
    sk_selection_cut(&e->local);
    return e->local.threshold;
}

/* Sums whole lists while unseen passages can still win; returns how many terms were summed. */
static int64_t sum_lists(struct evaluation *e, float *threshold) {
    const struct sk_postings *p = e->postings;
    int64_t i = 0;
    for (; i < e->term_count && can_matter(e->terms[i].bound, *threshold); i++) {
        struct sk_bm25_term *term = &e->terms[i];
        int64_t end = find_passage(p->passages, term->cursor, term->end, (uint64_t)(e->first + e->size));
        struct sk_bm25_slice slice = {.passages = p->passages + term->cursor,
                                      .counts = p->counts + term->cursor,
                                      .count = end - term->cursor,
                                      .lengths = p->lengths + e->first,
                                      .first = (uint32_t)e->first,
                                      .size = (uint32_t)e->size,
                                      .weight = term->weight,
                                      .floor = (float)e->query->floor,
                                      .slope = (float)e->query->slope};
        if (i > 0 && slice.count > SHORT_LIST) {
            float proven = local_threshold(e);
            if (proven > *threshold) {
                /* Passages that only equal it must stay: the block may hold the tie that wins by its row number. */
                *threshold = nextafterf(proven, -INFINITY);
                if (!can_matter(term->bound, *threshold)) break;
            }
        }
        e->backend->bm25_add(&slice, e->sums);
        term->cursor = end;
    }
    return i;
}

/* Adds the terms that were not summed to one passage's score; -inf when it cannot win any more. */
static float look_up(struct evaluation *e, int64_t i, uint32_t place, float score, float threshold) {
    const struct sk_postings *p = e->postings;
    uint32_t passage = (uint32_t)(e->first + place);
    for (; i < e->term_count; i++) {
        struct sk_bm25_term *term = &e->terms[i];
        if (!can_matter((double)score + term->bound, threshold)) return -INFINITY;
        term->cursor = find_passage(p->passages, term->cursor, term->end, passage);
        if (term->cursor < term->end && p->passages[term->cursor] == passage) {
            score += sk_bm25_part((float)p->counts[term->cursor], (float)p->lengths[passage], term->weight,
                                  (float)e->query->floor, (float)e->query->slope);
        }
    }
    return score;
}

static void evaluate_block(struct evaluation *e) {
    float threshold = e->best.threshold;
    int64_t summed = sum_lists(e, &threshold), found;
    double cut = (double)threshold / BOUND_SLACK - bound_from(e, summed) * BOUND_SLACK;
    found = e->backend->bm25_collect(e->sums, e->size, cut > 0 ? nextafterf((float)cut, 0) : 0, e->places);
    for (int64_t i = 0; i < found; i++) {
        int64_t passage = e->first + e->places[i];
        float score;
        if (!sk_is_allowed(e->query->allowed, passage)) continue;
        score = look_up(e, summed, e->places[i], e->sums[e->places[i]], threshold);
        if (score > e->best.threshold) sk_selection_offer(&e->best, score, passage);
    }
    memset(e->sums, 0, (size_t)e->size * sizeof *e->sums);
    /* The next block prunes with the threshold, so it must be up to date. */
    sk_selection_cut(&e->best);
}

/* First passage at or after e->first that a term which can still matter holds; -1 at the end. */
static int64_t next_passage(const struct evaluation *e) {
    const struct sk_postings *p = e->postings;
    int64_t next = -1;
    for (int64_t i = 0; i < e->term_count && can_matter(e->terms[i].bound, e->best.threshold); i++) {
        const struct sk_bm25_term *term = &e->terms[i];
        int64_t posting = find_passage(p->passages, term->cursor, term->end, (uint64_t)e->first);
        if (posting < term->end && (next < 0 || p->passages[posting] < next)) next = p->passages[posting];
    }
    return next < p->passage_count ? next : -1;
}

int32_t sk_bm25(const struct sk_backend *backend, const struct sk_postings *postings,
                const struct sk_bm25_query *query) {
    struct evaluation e = {.backend = backend, .postings = postings, .query = query};
    int64_t most = postings->passage_count > 0 ? postings->passage_count : 1, k = query->k < most ? query->k : most;
    int64_t capacity = sk_selection_capacity(k);
    uint64_t *keys = sk_allocate(4 * capacity * (int64_t)sizeof *keys);
    int32_t status = SK_NO_MEMORY;
    e.sums = sk_allocate((SK_BM25_BLOCK + SK_LANES) * (int64_t)sizeof *e.sums);
    e.places = sk_allocate((SK_BM25_BLOCK + SK_LANES) * (int64_t)sizeof *e.places);
    e.terms = sk_allocate((query->term_count + 1) * (int64_t)sizeof *e.terms);
    if (keys && e.sums && e.places && e.terms) {
        e.term_count = sk_bm25_weigh(postings, query, e.terms);
        status = e.term_count < 0 ? SK_WRONG_TERM : 0;
    }
    if (status == 0) {
        e.best = (struct sk_selection){keys, 0, capacity, k, -INFINITY};
        e.local = (struct sk_selection){keys + 2 * capacity, 0, capacity, k, -INFINITY};
        memset(e.sums, 0, (SK_BM25_BLOCK + SK_LANES) * sizeof *e.sums);
        for (int64_t next = next_passage(&e); next >= 0; next = next_passage(&e)) {
            e.first = next / SK_BM25_BLOCK * SK_BM25_BLOCK;
            e.size = postings->passage_count - e.first < SK_BM25_BLOCK ? postings->passage_count - e.first : SK_BM25_BLOCK;
            evaluate_block(&e);
            e.first += e.size;
        }
        sk_selection_finish(&e.best);
        sk_write_ranking(&e.best, query->k, query->scores, query->numbers);
    }
    sk_release(keys);
    sk_release(e.sums);
    sk_release(e.places);
    sk_release(e.terms);
    return status;
}
