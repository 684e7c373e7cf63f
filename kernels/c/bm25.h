#ifndef SATCHEL_BM25_H
#define SATCHEL_BM25_H

#include "api.h"

/* One distinct term of a query; they come by falling weight, equal weights by rising number. */
struct sk_bm25_term {
    int64_t number;
    int64_t repeats; /* how often the query has it */
    int64_t cursor;  /* first posting that was not passed yet */
    int64_t end;
    float weight;  /* inverse document frequency x repeats: the most that the term can add to a score */
    double bound;  /* what this term and all later ones can add at most */
};

/* Fills terms (room for query->term_count) with the query's distinct terms that any passage holds. Returns how many, or
 * SK_WRONG_TERM. Reference: weigh_terms in reference/bm25.py. */
int64_t sk_bm25_weigh(const struct sk_postings *postings, const struct sk_bm25_query *query, struct sk_bm25_term *terms);

#endif
