#include "pool.h"

#if defined(__x86_64__)
#define SPIN_PAUSE() __builtin_ia32_pause()
#else
#define SPIN_PAUSE() __asm__ volatile("yield")
#endif

// About 50 microseconds: a pause takes some 40 to 140 cycles on x86 of the last years.
enum { SPINS = 1500 };

enum { LINUX = 0, MACOS = 1, WINDOWS = 2 };
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129, ALL = 0x7fffffff };
#if defined(__x86_64__)
enum { SYS_FUTEX = 202 };
#else
enum { SYS_FUTEX = 98 };
#endif

// Sleeps while *address is `value`; may return early.
static void sleep_on(const services *s, uint32_t *address, uint32_t value) {
  if (s->system == LINUX) ((long (*)(long, ...))s->wait)(SYS_FUTEX, address, FUTEX_WAIT_PRIVATE, value, (void *)0, (void *)0, 0);
  else if (s->system == MACOS) ((int (*)(void *, uint64_t, size_t, uint32_t))s->wait)(address, value, 4, 0);
  else ((int (*)(void *, void *, size_t, uint32_t))s->wait)(address, &value, 4, ~0u);
}

static void wake(const services *s, uint32_t *address) {
  if (s->system == LINUX) ((long (*)(long, ...))s->wake)(SYS_FUTEX, address, FUTEX_WAKE_PRIVATE, ALL, (void *)0, (void *)0, 0);
  else if (s->system == MACOS) ((int (*)(void *, size_t, uint32_t))s->wake)(address, 4, 0);
  else ((void (*)(void *))s->wake)(address);
}

uint32_t pool_wait(pool *p, waitable *word, uint32_t value) {
  for (int i = 0; i < SPINS; i++) {
    const uint32_t now = __atomic_load_n(&word->value, __ATOMIC_ACQUIRE);
    if (now != value) return now;
    SPIN_PAUSE();
  }
  // The sleeper announces itself before it looks once more, the waker sets the value before it looks for sleepers:
  // in sequentially consistent order one of them sees the other.
  __atomic_fetch_add(&word->sleepers, 1, __ATOMIC_SEQ_CST);
  uint32_t now;
  while ((now = __atomic_load_n(&word->value, __ATOMIC_SEQ_CST)) == value) sleep_on(&p->system, &word->value, value);
  __atomic_fetch_sub(&word->sleepers, 1, __ATOMIC_SEQ_CST);
  return now;
}

void pool_set(pool *p, waitable *word, uint32_t value) {
  __atomic_store_n(&word->value, value, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&word->sleepers, __ATOMIC_SEQ_CST) > 0) wake(&p->system, &word->value);
}

void pool_meet(pool *p, uint32_t threads) {
  if (threads == 1) return;
  barrier *b = &p->inside;
  const uint32_t generation = __atomic_load_n(&b->generation.value, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == threads) {
    __atomic_store_n(&b->arrived, 0, __ATOMIC_RELAXED);
    pool_set(p, &b->generation, generation + 1);
  } else {
    pool_wait(p, &b->generation, generation);
  }
}

// Tickets are odd while the pool lives and 0 at its end.
static void work(pool *p, int thread) {
  uint32_t ticket = 1;
  while ((ticket = pool_wait(p, &p->tickets[thread], ticket)) != 0) {
    p->part(p->job, thread);
    __atomic_add_fetch(&p->ended.value, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&p->ended.sleepers, __ATOMIC_SEQ_CST) > 0) wake(&p->system, &p->ended.value);
  }
}

#ifdef _WIN32
static unsigned long __attribute__((ms_abi)) start_thread(void *argument)
#else
static void *start_thread(void *argument)
#endif
{
  struct start *s = argument;
  work(s->pool, (int)s->thread);
  return 0;
}

void pool_run(pool *p, part_function part, void *job, int threads) {
  p->part = part;
  p->job = job;
  __atomic_store_n(&p->ended.value, 0, __ATOMIC_RELAXED);
  for (int i = 1; i < threads; i++) {
    const uint32_t ticket = __atomic_load_n(&p->tickets[i].value, __ATOMIC_RELAXED) + 2;
    pool_set(p, &p->tickets[i], ticket);
  }
  part(job, 0);
  uint32_t ended = 0;
  while ((int)(ended = __atomic_load_n(&p->ended.value, __ATOMIC_ACQUIRE)) < threads - 1) pool_wait(p, &p->ended, ended);
}

GPTJ_EXPORT int64_t gptj_pool_bytes(void) { return sizeof(pool); }

// Starts `threads` - 1 workers in zeroed memory. Returns the number of threads of the pool, the caller included: fewer
// than asked for where the system has no more.
GPTJ_EXPORT int64_t gptj_pool_start(pool *p, const services *system, int64_t threads) {
  p->system = *system;
  p->workers = 0;
  for (int64_t i = 1; i < threads && i < MAX_THREADS; i++) {
    p->tickets[i].value = 1;
    p->starts[i] = (struct start){p, i};
    int failed;
    if (system->system == WINDOWS) {
      p->threads[i] = ((void *(*)(void *, size_t, void *, void *, unsigned, void *))system->create)(0, 0, (void *)start_thread, &p->starts[i], 0, 0);
      failed = p->threads[i] == 0;
    } else {
      failed = ((int (*)(void **, void *, void *(*)(void *), void *))system->create)(&p->threads[i], 0, (void *(*)(void *))start_thread, &p->starts[i]);
    }
    if (failed) break;
    p->workers++;
  }
  return p->workers + 1;
}

// Ends the workers. Call it when no step runs; the memory may be freed afterwards.
GPTJ_EXPORT void gptj_pool_stop(pool *p) {
  for (int64_t i = 1; i <= p->workers; i++) {
    pool_set(p, &p->tickets[i], 0);
    if (p->system.system == WINDOWS) ((unsigned (*)(void *, unsigned))p->system.join)(p->threads[i], ~0u);
    else ((int (*)(void *, void **))p->system.join)(p->threads[i], 0);
  }
  p->workers = 0;
}
