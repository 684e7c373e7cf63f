#include <math.h>
#include <stdlib.h>

#include "bm25.h"

static int by_number(const void *a, const void *b) {
    const struct sk_bm25_term *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int by_weight(const void *a, const void *b) {
    const struct sk_bm25_term *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight) : by_number(a, b);
}

static int is_sound(const struct sk_postings *postings, int64_t number) {
    uint64_t start, end;
    if (number < 0 || number >= postings->term_count) return 0;
    start = postings->offsets[number];
    end = postings->offsets[number + 1];
    return start <= end && end <= (uint64_t)postings->posting_count && end - start <= (uint64_t)postings->passage_count;
}

int64_t sk_bm25_weigh(const struct sk_postings *postings, const struct sk_bm25_query *query,
                      struct sk_bm25_term *terms) {
    int64_t distinct = 0, held = 0;
    for (int64_t i = 0; i < query->term_count; i++) {
        if (!is_sound(postings, query->terms[i])) return SK_WRONG_TERM;
        terms[i] = (struct sk_bm25_term){.number = query->terms[i], .repeats = 1};
    }
    qsort(terms, (size_t)query->term_count, sizeof *terms, by_number);
    for (int64_t i = 0; i < query->term_count; i++) {
        if (distinct > 0 && terms[distinct - 1].number == terms[i].number) {
            terms[distinct - 1].repeats++;
        } else {
            terms[distinct++] = terms[i];
        }
    }
    for (int64_t i = 0; i < distinct; i++) {
        struct sk_bm25_term term = terms[i];
        double frequency;
        term.cursor = (int64_t)postings->offsets[term.number];
        term.end = (int64_t)postings->offsets[term.number + 1];
        if (term.cursor == term.end) continue;
        frequency = (double)(term.end - term.cursor);
        term.weight = (float)((double)term.repeats *
                              log1p(((double)postings->passage_count - frequency + 0.5) / (frequency + 0.5)));
        terms[held++] = term;
    }
    qsort(terms, (size_t)held, sizeof *terms, by_weight);
    for (int64_t i = held - 1; i >= 0; i--) {
        terms[i].bound = (double)terms[i].weight + (i + 1 < held ? terms[i + 1].bound : 0);
    }
    return held;
}
