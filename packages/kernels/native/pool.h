// Threads that compute a step together, without waiting for one another.
//
// A step is a plan: a row of phases, each a number of items in any order. Every thread goes through the phases, claims item
// after item, and goes on when all items of the phase are done, by any of them. A thread that the system keeps from its core
// holds up the others only while it has claimed an item: beside busy processes, or with a worker that still wakes up, the step
// goes on with the threads that there are. The calling thread returns when the last phase is done. A worker that comes late
// finds phase after phase done, or the plan of a later step in its place: the step's number, its epoch, is part of the word by
// which items are claimed, so it can claim nothing of a step that is not its own.
//
// Who waits spins first, because the other threads often end within microseconds, and then sleeps in the kernel.
#pragma once
#include "abi.h"

// A word that threads wait for.
typedef struct {
  uint32_t value;
  uint32_t sleepers;
} waitable;

typedef struct {
  _Alignas(64) uint64_t claims; // epoch, number of items, number of items that are claimed
  waitable done;                // low bits of the epoch, number of items that are done
  int32_t kind;                 // what the items are: for the function that computes them
  int32_t at;                   // layer, or part
} phase;

// What a thread remembers between the items of one phase, whose numbers rise. Zero at the first.
typedef struct {
  int64_t which, before;
} cursor;

// Computes one item of a phase. Its thread is below the number that pool_run got.
typedef void (*item_function)(void *job, const phase *of, int64_t item, int thread, cursor *place);

// Its memory stays until the plan is run again or pool_rest was called: late workers look at its phases.
typedef struct {
  item_function compute;
  void *job;
  int64_t count;
  phase *phases; // zeroed before their first use
} plan;

typedef struct pool {
  services system;
  int64_t workers;
  uint64_t epoch; // of the step that was begun last
  plan *current; // null: workers have nothing to look at
  struct worker {
    _Alignas(64) waitable ticket; // changes when there is a step; 0: end
    waitable busy;
    struct pool *pool;
    int64_t thread;
    void *handle;
  } worker[MAX_THREADS];
} pool;

enum { MAX_ITEMS = 1 << 20 };

// Begins the next step: an empty plan in `memory`. Each phase is then added, and the plan run.
void plan_begin(pool *p, plan *of, item_function compute, void *job);
void plan_add(pool *p, plan *of, int kind, int64_t at, int64_t items);
// Computes all phases on this thread and up to `threads` - 1 others.
void pool_run(pool *p, plan *of, int threads);
// Waits until no worker looks at the last plan, whose memory may then be freed.
void pool_rest(pool *p);
