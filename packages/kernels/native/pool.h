// Threads that compute a step together.
//
// A worker waits for its ticket to change, computes its part, and waits again: first spinning, because the next step
// often follows within microseconds, then asleep in the kernel. Inside a step all threads meet at barriers, which wait
// in the same two stages: on a busy machine a thread without a core then costs the others no time of theirs.
#pragma once
#include "abi.h"

typedef void (*part_function)(void *job, int thread);

// Words that threads wait for have a cache line each.
typedef struct {
  _Alignas(64) uint32_t value;
  uint32_t sleepers;
} waitable;

typedef struct {
  waitable generation;
  _Alignas(64) uint32_t arrived;
} barrier;

typedef struct {
  services system;
  int64_t workers;
  part_function part;
  void *job;
  barrier inside; // of the step
  waitable ended; // counts parts that have ended
  waitable tickets[MAX_THREADS];
  void *threads[MAX_THREADS];
  struct start { void *pool; int64_t thread; } starts[MAX_THREADS];
} pool;

// Blocks until *word differs from `value`. Returns the new value.
uint32_t pool_wait(pool *p, waitable *word, uint32_t value);
// Sets *word and wakes its sleepers.
void pool_set(pool *p, waitable *word, uint32_t value);
// Waits until `threads` threads have called it.
void pool_meet(pool *p, uint32_t threads);
// Calls part(job, 0) to part(job, threads - 1), the first of them on this thread. Returns when all have returned.
void pool_run(pool *p, part_function part, void *job, int threads);
