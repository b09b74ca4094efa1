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

// Waits until the word differs from `value`. Returns the new value.
static uint32_t wait_for_change(const pool *p, waitable *word, uint32_t value) {
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

static void wake_sleepers(const pool *p, waitable *word) {
  if (__atomic_load_n(&word->sleepers, __ATOMIC_SEQ_CST) > 0) wake(&p->system, &word->value);
}

static void set(const pool *p, waitable *word, uint32_t value) {
  __atomic_store_n(&word->value, value, __ATOMIC_SEQ_CST);
  wake_sleepers(p, word);
}

// `claims` is 24 bits of the epoch, 20 bits of the number of items, 20 bits of those that are claimed; `done` is 12 bits of the
// epoch, 20 bits of the items that are done. A number of a phase in which all items are done stays below MAX_ITEMS.
enum { ITEM_BITS = 20, ITEM_MASK = (1 << ITEM_BITS) - 1, EPOCH_BITS = 24, EPOCH_MASK = (1 << EPOCH_BITS) - 1, DONE_EPOCH_MASK = (1 << 12) - 1 };

void plan_begin(pool *p, plan *of, item_function compute, void *job) {
  p->epoch = (p->epoch + 1) & EPOCH_MASK;
  of->compute = compute;
  of->job = job;
  __atomic_store_n(&of->count, 0, __ATOMIC_RELAXED);
}

void plan_add(pool *p, plan *of, int kind, int64_t at, int64_t items) {
  phase *next = &of->phases[of->count];
  // No thread holds an item of an earlier step, so none reads the fields that follow.
  next->kind = kind;
  next->at = (int32_t)at;
  __atomic_store_n(&next->done.value, (uint32_t)(p->epoch & DONE_EPOCH_MASK) << ITEM_BITS, __ATOMIC_RELAXED);
  __atomic_store_n(&next->claims, p->epoch << 2 * ITEM_BITS | (uint64_t)items << ITEM_BITS, __ATOMIC_RELEASE);
  __atomic_store_n(&of->count, of->count + 1, __ATOMIC_RELAXED);
}

// Claims and computes items of a phase and waits for those of others. Returns 0 where the step is over.
static int compute_phase(const pool *p, const plan *of, phase *this, uint64_t epoch, int thread) {
  cursor place = {0};
  uint64_t claims = __atomic_load_n(&this->claims, __ATOMIC_ACQUIRE);
  for (;;) {
    if (claims >> 2 * ITEM_BITS != epoch) return 0;
    const uint32_t items = claims >> ITEM_BITS & ITEM_MASK, item = claims & ITEM_MASK;
    if (item == items) break;
    if (!__atomic_compare_exchange_n(&this->claims, &claims, claims + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
    of->compute(of->job, this, item, thread, &place);
    const uint32_t done = __atomic_add_fetch(&this->done.value, 1, __ATOMIC_SEQ_CST) & ITEM_MASK;
    if (done == items) wake_sleepers(p, &this->done);
    claims = __atomic_load_n(&this->claims, __ATOMIC_ACQUIRE);
  }
  const uint32_t items = claims >> ITEM_BITS & ITEM_MASK;
  uint32_t done = __atomic_load_n(&this->done.value, __ATOMIC_ACQUIRE);
  while (done >> ITEM_BITS == (epoch & DONE_EPOCH_MASK) && (done & ITEM_MASK) < items) done = wait_for_change(p, &this->done, done);
  return 1;
}

static void compute_plan(const pool *p, const plan *of, uint64_t epoch, int thread) {
  const int64_t count = __atomic_load_n(&of->count, __ATOMIC_RELAXED);
  for (int64_t i = 0; i < count; i++)
    if (!compute_phase(p, of, &of->phases[i], epoch, thread)) return;
}

// Tickets are odd while the pool lives, and say the epoch.
static uint32_t ticket_of(uint64_t epoch) { return (uint32_t)epoch << 1 | 1; }

static void work(struct worker *me) {
  pool *p = me->pool;
  uint32_t ticket = ticket_of(0);
  while ((ticket = wait_for_change(p, &me->ticket, ticket)) != 0) {
    // Busy before it looks: in sequentially consistent order pool_rest sees that, or this thread sees that there is nothing.
    __atomic_store_n(&me->busy.value, 1, __ATOMIC_SEQ_CST);
    const plan *of = __atomic_load_n(&p->current, __ATOMIC_SEQ_CST);
    if (of) compute_plan(p, of, ticket >> 1, (int)me->thread);
    set(p, &me->busy, 0);
  }
}

#ifdef _WIN32
static unsigned long __attribute__((ms_abi)) start_thread(void *argument)
#else
static void *start_thread(void *argument)
#endif
{
  work(argument);
  return 0;
}

void pool_run(pool *p, plan *of, int threads) {
  __atomic_store_n(&p->current, of, __ATOMIC_SEQ_CST);
  for (int i = 1; i < threads; i++) set(p, &p->worker[i].ticket, ticket_of(p->epoch));
  compute_plan(p, of, p->epoch, 0);
}

void pool_rest(pool *p) {
  __atomic_store_n(&p->current, (plan *)0, __ATOMIC_SEQ_CST);
  for (int64_t i = 1; i <= p->workers; i++)
    while (__atomic_load_n(&p->worker[i].busy.value, __ATOMIC_SEQ_CST) != 0) wait_for_change(p, &p->worker[i].busy, 1);
}

GPTJ_EXPORT int64_t gptj_pool_bytes(void) { return sizeof(pool); }

// Starts `threads` - 1 workers in zeroed memory. Returns the number of threads of the pool, the caller included: fewer
// than asked for where the system has no more.
GPTJ_EXPORT int64_t gptj_pool_start(pool *p, const services *system, int64_t threads) {
  p->system = *system;
  p->workers = 0;
  for (int64_t i = 1; i < threads && i < MAX_THREADS; i++) {
    struct worker *one = &p->worker[i];
    one->ticket.value = ticket_of(0);
    one->pool = p;
    one->thread = i;
    int failed;
    if (system->system == WINDOWS) {
      one->handle = ((void *(*)(void *, size_t, void *, void *, unsigned, void *))system->create)(0, 0, (void *)start_thread, one, 0, 0);
      failed = one->handle == 0;
    } else {
      failed = ((int (*)(void **, void *, void *(*)(void *), void *))system->create)(&one->handle, 0, (void *(*)(void *))start_thread, one);
    }
    if (failed) break;
    p->workers++;
  }
  return p->workers + 1;
}

// Waits until no worker looks at the memory of the last step, which may then be freed. Call it when no step runs.
GPTJ_EXPORT void gptj_pool_rest(pool *p) { pool_rest(p); }

// Ends the workers. Call it when no step runs; the memory may be freed afterwards.
GPTJ_EXPORT void gptj_pool_stop(pool *p) {
  for (int64_t i = 1; i <= p->workers; i++) {
    set(p, &p->worker[i].ticket, 0);
    if (p->system.system == WINDOWS) ((unsigned (*)(void *, unsigned))p->system.join)(p->worker[i].handle, ~0u);
    else ((int (*)(void *, void **))p->system.join)(p->worker[i].handle, 0);
  }
  p->workers = 0;
}
