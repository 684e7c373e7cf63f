/* A small pool of threads for scans of millions of rows. Workers sleep on a condition variable: nothing spins. */
#ifndef SATCHEL_POOL_H
#define SATCHEL_POOL_H

typedef void (*sk_part)(void *job, int part);

/* Runs part(job, 0) .. part(job, parts - 1), part 0 on the caller's thread, and returns when all are done. When the pool
 * is taken by another caller, or threads cannot be had, the caller runs all parts itself. */
void sk_pool_run(sk_part part, void *job, int parts);

#endif
