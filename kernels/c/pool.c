#include "pool.h"

#include <stddef.h>

#if defined(__unix__) || defined(__APPLE__)

#include <pthread.h>
#include <signal.h>

enum { MAX_WORKERS = 63 };

/* One pool a process: two would fight for the same cores. All fields are guarded by `lock`, `taken` by itself. */
static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER; /* held by the caller whose job runs */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static pthread_once_t fork_handler = PTHREAD_ONCE_INIT;
static int workers, next_part, parts_left, part_count;
static sk_part current;
static void *current_job;

static void *serve(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (next_part >= part_count) pthread_cond_wait(&work, &lock);
        while (next_part < part_count) {
            int part = next_part++;
            sk_part run = current;
            void *job = current_job;
            pthread_mutex_unlock(&lock);
            run(job, part);
            pthread_mutex_lock(&lock);
            if (--parts_left == 0) pthread_cond_signal(&done);
        }
    }
    return NULL;
}

/* A forked child has none of its parent's threads, and perhaps its parent's locks held. */
static void start_over(void) {
    pthread_mutex_init(&taken, NULL);
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&work, NULL);
    pthread_cond_init(&done, NULL);
    workers = next_part = parts_left = part_count = 0;
}

static void watch_forks(void) {
    pthread_atfork(NULL, NULL, start_over);
}

/* Starts workers until there are `wanted`; fewer when the system has no more. Signals stay with the caller's threads. */
static void hire(int wanted) {
    sigset_t all, before;
    pthread_attr_t detached;
    pthread_once(&fork_handler, watch_forks);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    while (workers < wanted && workers < MAX_WORKERS) {
        pthread_t thread;
        if (pthread_create(&thread, &detached, serve, NULL) != 0) break;
        workers++;
    }
    pthread_attr_destroy(&detached);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void sk_pool_run(sk_part part, void *job, int parts) {
    if (parts < 2 || pthread_mutex_trylock(&taken) != 0) {
        for (int i = 0; i < parts; i++) part(job, i);
        return;
    }
    pthread_mutex_lock(&lock);
    hire(parts - 1);
    current = part;
    current_job = job;
    next_part = 1;
    part_count = parts;
    parts_left = parts - 1;
    pthread_cond_broadcast(&work);
    pthread_mutex_unlock(&lock);
    part(job, 0);
    pthread_mutex_lock(&lock);
    /* Parts that no worker has begun are the caller's: without workers, all of them. */
    while (next_part < part_count) {
        int mine = next_part++;
        pthread_mutex_unlock(&lock);
        part(job, mine);
        pthread_mutex_lock(&lock);
        parts_left--;
    }
    while (parts_left > 0) pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&taken);
}

#else

/* Elsewhere one thread does it all. */
void sk_pool_run(sk_part part, void *job, int parts) {
    for (int i = 0; i < parts; i++) part(job, i);
}

#endif
