// Steps of small random models through the library's functions, as a program that a test runs natively, under sanitizers
// and under an emulator. Every buffer that a step reads or writes ends at a page that cannot be read.
//
//   check_steps sets                 the instruction sets of this processor, one number a line, fastest first
//   check_steps bits SET MIN_THREADS MAX_THREADS
//                                    a line for each model and type of cache, of a text without adapters and with two of
//                                    them, with a hash of all logits; fails where the hash depends on slices, company or the number of threads. With one number of threads,
//                                    only one way of slicing, with company: for emulators
//   check_steps aborts SET THREADS   ends steps in their midst; fails where the next step is not as before
//   check_steps shared SET THREADS   two models take turns on one pool, and the memory of a step is freed while late workers
//                                    may look at it; fails where a result differs from the model's own
#include "random_model.h"
#include <errno.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

int64_t gptj_instruction_set(int64_t capabilities);
int64_t gptj_step_bytes(const model *m, int64_t threads, int64_t set);
int64_t gptj_step(const step *s);
int64_t gptj_pool_bytes(void);
int64_t gptj_pool_start(void *p, const services *system, int64_t threads);
void gptj_pool_rest(void *p);
void gptj_pool_stop(void *p);

// Sizes that are no multiples of 16 and 64, heads of 8 and 64, more than one chunk (64 units) of columns, every type.
#define ALL(type) {type, type, type, type, type, type, type, type}
static const shape SHAPES[] = {
  {"f32", 256, 4, 32, 512, 131, ALL(F32)},
  {"f16", 256, 4, 32, 512, 131, ALL(F16)},
  {"bf16", 256, 4, 32, 512, 131, ALL(BF16)},
  {"q4_0", 256, 4, 32, 512, 131, ALL(Q4_0)},
  {"q8_0", 256, 4, 32, 512, 131, ALL(Q8_0)},
  {"q4_K", 256, 4, 32, 512, 131, ALL(Q4_K)},
  {"q5_K", 256, 4, 32, 512, 131, ALL(Q5_K)},
  {"q6_K", 256, 4, 32, 512, 131, ALL(Q6_K)},
  {"mixed", 256, 4, 32, 512, 77, {Q4_0, Q8_0, Q6_K, F16, BF16, Q4_0, Q6_K, F32}},
  {"odd-f32", 72, 9, 4, 100, 77, ALL(F32)},
  {"odd-f16", 72, 9, 4, 100, 77, ALL(F16)},
  {"odd-bf16", 72, 9, 4, 100, 77, ALL(BF16)},
  {"odd-q4_0", 96, 12, 8, 160, 77, ALL(Q4_0)},
  {"odd-q8_0", 96, 12, 8, 160, 77, ALL(Q8_0)},
  {"long-q4_0", 64, 1, 64, 4352, 50, ALL(Q4_0)},
  {"long-q6_K", 64, 1, 64, 4352, 50, {Q8_0, Q8_0, Q8_0, F32, Q8_0, Q6_K, Q8_0, F16}},
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

enum { TEXT = 140, CELLS = 163, COMPANY = 3, COMPANY_ROWS = 2, MAX_SLICES = TEXT };
typedef struct {
  int company; // other sequences beside the text, each of COMPANY_ROWS rows
  int slices[MAX_SLICES];
} slicing;
// A last slice has what is left of the text.
static const slicing SLICINGS[] = {
  {0, {128, 12}},
  {0, {1, 2, 3, 5, 7, 11, 17, 31, 63}},
  {0, {1, 1, 1, 1, 1, 1, 1, 8, 8, 8, 16, 93}},
  {3, {4, 6, 9, 13, 60, 48}},
};
enum { SLICING_COUNT = sizeof SLICINGS / sizeof *SLICINGS };

// Rows that are scored after the last layer, and before a layer (early exit).
enum { EXITS = TEXT / 5, MAX_OUTPUTS = MAX_ROWS * 2 };

typedef struct {
  const random_model *model;
  int set, threads, wide, adapted;
  void *pool;
  guarded pool_memory, keys, values, memory, tokens, exits, cells[1 + COMPANY], logits[TEXT], hidden[TEXT], exit_logits[EXITS], unused;
  uint8_t abort;
} session;

static services system_services(void) {
  return (services){0, (void *)pthread_create, (void *)pthread_join, (void *)syscall, (void *)syscall};
}

static size_t cache_bytes(const model *m, int wide) {
  const int64_t head = (m->width / m->heads + 15) / 16 * 16;
  return (size_t)(m->layers * m->heads * CELLS * head * (wide ? 4 : 2));
}
static int64_t padded_width(const model *m) { return (m->width + 63) / 64 * 64; }

static void open_session(session *s, const random_model *r, int set, int threads, int wide) {
  memset(s, 0, sizeof *s);
  s->model = r;
  s->set = set;
  s->threads = threads;
  s->wide = wide;
  s->pool_memory = guarded_map((size_t)gptj_pool_bytes());
  s->pool = s->pool_memory.mapped;
  const services system = system_services();
  if (gptj_pool_start(s->pool, &system, threads) != threads) fail("threads of the pool");
  const model *m = &r->m;
  s->keys = guarded_map(cache_bytes(m, wide));
  s->values = guarded_map(cache_bytes(m, wide));
  s->memory = guarded_map((size_t)gptj_step_bytes(m, threads, set));
  s->tokens = guarded_map(MAX_ROWS * 4);
  s->exits = guarded_map((size_t)(MAX_OUTPUTS * padded_width(m) * 4));
  for (int i = 0; i <= COMPANY; i++) s->cells[i] = guarded_map(CELLS * 4);
  for (int i = 0; i < TEXT; i++) {
    s->logits[i] = guarded_map((size_t)m->vocabulary * 4);
    s->hidden[i] = guarded_map((size_t)m->width * 4);
  }
  for (int i = 0; i < EXITS; i++) s->exit_logits[i] = guarded_map((size_t)m->vocabulary * 4);
  s->unused = guarded_map((size_t)m->vocabulary * 4);
}

static void close_session(session *s) {
  gptj_pool_stop(s->pool);
  guarded *each[] = {&s->pool_memory, &s->keys, &s->values, &s->memory, &s->tokens, &s->exits, &s->unused};
  for (size_t i = 0; i < sizeof each / sizeof *each; i++) guarded_free(each[i]);
  for (int i = 0; i <= COMPANY; i++) guarded_free(&s->cells[i]);
  for (int i = 0; i < TEXT; i++) {
    guarded_free(&s->logits[i]);
    guarded_free(&s->hidden[i]);
  }
  for (int i = 0; i < EXITS; i++) guarded_free(&s->exit_logits[i]);
}

static int64_t run_slice(session *s, int from, int rows, int company) {
  const model *m = &s->model->m;
  sequence sequences[1 + COMPANY];
  adapter_use adapters[1 + COMPANY][ADAPTERS];
  output outputs[MAX_OUTPUTS];
  int all = rows + company * COMPANY_ROWS, row = 0, count = 0;
  int32_t *tokens = last_bytes(&s->tokens, (size_t)all * 4);
  // All but one of the others come before the text.
  const int before = company > 0 ? company - 1 : 0;
  for (int i = 0; i <= company; i++) {
    const int is_text = i == before, length = is_text ? rows : COMPANY_ROWS, position = is_text ? from : 0;
    uint32_t *cells = last_bytes(&s->cells[i], (size_t)(position + length) * 4);
    for (int j = 0; j < position + length; j++) cells[j] = is_text ? (uint32_t)(j * 37 + 11) % (TEXT + 1) : (uint32_t)(TEXT + 1 + i * COMPANY_ROWS + j);
    for (int j = 0; j < length; j++) tokens[row + j] = (int32_t)((is_text ? (from + j) * 31 + 7 : i * 5 + j) % m->vocabulary);
    // The text has both adapters or none, the others one of them or none.
    adapter_use *uses = adapters[i];
    for (int j = 0; j < ADAPTERS; j++) uses[j] = (adapter_use){s->model->adapters[j], is_text ? 0.7 + j : 1.5};
    const int others = i % (ADAPTERS + 1);
    const int64_t used = is_text ? s->adapted * ADAPTERS : others > 0;
    sequences[i] = (sequence){row, length, position, cells, used, is_text || others == 0 ? uses : uses + others - 1};
    for (int j = 0; j < length && is_text; j++) {
      const int at = from + j;
      outputs[count++] = (output){row + j, -1, last_bytes(&s->logits[at], (size_t)m->vocabulary * 4), last_bytes(&s->hidden[at], (size_t)m->width * 4)};
      if (at % 5 == 4) outputs[count++] = (output){row + j, at / 5 % LAYERS, last_bytes(&s->exit_logits[at / 5], (size_t)m->vocabulary * 4), 0};
    }
    if (!is_text) outputs[count++] = (output){row, -1, last_bytes(&s->unused, (size_t)m->vocabulary * 4), 0};
    row += length;
  }
  const step it = {
    .model = m, .keys = last_bytes(&s->keys, cache_bytes(m, s->wide)), .values = last_bytes(&s->values, cache_bytes(m, s->wide)),
    .cells = CELLS, .wide = s->wide, .memory = last_bytes(&s->memory, (size_t)gptj_step_bytes(m, s->threads, s->set)),
    .set = s->set, .pool = s->pool, .threads = s->threads, .abort = &s->abort, .rows = all, .tokens = tokens,
    .sequences = company + 1, .sequence = sequences, .outputs = count, .output = outputs,
    .exits = last_bytes(&s->exits, (size_t)(count * padded_width(m) * 4)),
  };
  return gptj_step(&it);
}

static void run_text(session *s, const slicing *how) {
  for (int from = 0, i = 0; from < TEXT; i++) {
    const int rows = how->slices[i] > 0 ? how->slices[i] : TEXT - from;
    if (run_slice(s, from, rows, how->company) != STEP_DONE) fail("expected STEP_DONE");
    from += rows;
  }
}

static uint64_t hash_floats(uint64_t hash, const guarded *g, int64_t count) {
  const float *values = last_bytes(g, (size_t)count * 4);
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, values + i, 4);
    if ((bits & 0x7f800000) == 0x7f800000) fail("a value is not finite");
    hash = (hash ^ bits) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  return hash;
}

static uint64_t hash_results(const session *s) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < TEXT; i++) {
    hash = hash_floats(hash, &s->logits[i], s->model->m.vocabulary);
    hash = hash_floats(hash, &s->hidden[i], s->model->m.width);
  }
  for (int i = 0; i < EXITS; i++) hash = hash_floats(hash, &s->exit_logits[i], s->model->m.vocabulary);
  return hash;
}

static void check_bits(int set, int min_threads, int max_threads) {
  const int first_how = min_threads == max_threads ? SLICING_COUNT - 1 : 0;
  for (int i = 0; i < SHAPE_COUNT; i++) {
    random_model r;
    make_random_model(&r, &SHAPES[i]);
    // Emulators: f16 with adapters and f32 without, half of the forms.
    for (int form = first_how > 0; form < (first_how > 0 ? 3 : 4); form++) {
      const int wide = form / 2, adapted = form % 2;
      uint64_t expected = 0;
      for (int threads = min_threads; threads <= max_threads; threads++) {
        session s;
        open_session(&s, &r, set, threads, wide);
        s.adapted = adapted;
        // One thread and three run every slicing, the other numbers of threads the first and the last.
        for (int how = first_how; how < SLICING_COUNT; how += threads == 1 || threads == 3 || how > 0 ? 1 : SLICING_COUNT - 1) {
          run_text(&s, &SLICINGS[how]);
          const uint64_t hash = hash_results(&s);
          if (threads == min_threads && how == first_how) expected = hash;
          if (hash != expected) {
            fprintf(stderr, "%s: %d threads, slicing %d: expected %016llx, got %016llx\n", SHAPES[i].name, threads, how, (unsigned long long)expected, (unsigned long long)hash);
            exit(1);
          }
        }
        close_session(&s);
      }
      printf("%s %s %s %016llx\n", SHAPES[i].name, wide ? "f32" : "f16", adapted ? "adapted" : "plain", (unsigned long long)expected);
      fflush(stdout);
    }
    free_random_model(&r);
  }
}

typedef struct {
  session *s;
  int turns;
} delayed_abort;

static void *abort_later(void *argument) {
  const delayed_abort *d = argument;
  for (volatile int i = 0; i < d->turns; i++);
  __atomic_store_n(&d->s->abort, 1, __ATOMIC_RELAXED);
  return 0;
}

static void check_aborts(int set, int threads) {
  enum { TRIES = 100 };
  for (int i = 3; i < SHAPE_COUNT; i += 7) {
    random_model r;
    make_random_model(&r, &SHAPES[i]);
    session s;
    open_session(&s, &r, set, threads, 0);
    s.adapted = 1;
    run_text(&s, &SLICINGS[0]);
    const uint64_t expected = hash_results(&s);
    int aborted = 0;
    for (int at = 0; at < TRIES; at++) {
      delayed_abort d = {&s, at * at * 128};
      pthread_t thread;
      if (pthread_create(&thread, 0, abort_later, &d) != 0) fail("pthread_create");
      const int64_t code = run_slice(&s, 0, MAX_ROWS, 0);
      pthread_join(thread, 0);
      if (code != STEP_DONE && code != STEP_ABORTED) fail("expected STEP_DONE or STEP_ABORTED");
      aborted += code == STEP_ABORTED;
      s.abort = 0;
    }
    run_text(&s, &SLICINGS[0]);
    if (hash_results(&s) != expected) fail("the step after an abort differs");
    if (aborted == 0) fail("no step was aborted");
    printf("%s %d of %d aborted\n", SHAPES[i].name, aborted, TRIES);
    close_session(&s);
    free_random_model(&r);
  }
}

static void check_shared(int set, int threads) {
  enum { TURNS = 12 };
  random_model r[2];
  session s[2];
  uint64_t expected[2];
  for (int i = 0; i < 2; i++) {
    make_random_model(&r[i], &SHAPES[3 + 9 * i]);
    open_session(&s[i], &r[i], set, threads, 0);
    run_text(&s[i], &SLICINGS[0]);
    expected[i] = hash_results(&s[i]);
  }
  void *own = s[1].pool;
  s[1].pool = s[0].pool;
  for (int turn = 0; turn < TURNS; turn++) {
    for (int i = 0; i < 2; i++) {
      // Steps of few rows, which a worker that still wakes up finds done.
      run_text(&s[i], &SLICINGS[turn % 2]);
      if (hash_results(&s[i]) != expected[i]) fail("a model that shares a pool has other results");
    }
    gptj_pool_rest(s[0].pool);
    guarded_free(&s[1].memory);
    s[1].memory = guarded_map((size_t)gptj_step_bytes(&r[1].m, threads, set));
  }
  s[1].pool = own;
  for (int i = 0; i < 2; i++) {
    close_session(&s[i]);
    free_random_model(&r[i]);
  }
  printf("%d turns\n", TURNS);
}

// A system that gives no third thread.
static int created;
static int create_two(void **thread, void *attributes, void *(*start)(void *), void *argument) {
  return created++ < 2 ? pthread_create((pthread_t *)thread, attributes, start, argument) : EAGAIN;
}

static void check_short_pool(void) {
  guarded memory = guarded_map((size_t)gptj_pool_bytes());
  services system = system_services();
  system.create = (void *)create_two;
  if (gptj_pool_start(memory.mapped, &system, 8) != 3) fail("expected a pool of the threads that there are");
  gptj_pool_stop(memory.mapped);
  guarded_free(&memory);
}

int main(int count, char **arguments) {
  const char *what = count > 1 ? arguments[1] : "";
  if (strcmp(what, "sets") == 0) {
    const int64_t fastest = gptj_instruction_set((int64_t)getauxval(AT_HWCAP));
    for (int64_t set = fastest; set > NO_SET && (set == fastest || set >= AVX2); set--) printf("%d\n", (int)set);
  } else if (count == 5 && strcmp(what, "bits") == 0) {
    check_bits(atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]));
  } else if (count == 4 && strcmp(what, "aborts") == 0) {
    check_short_pool();
    check_aborts(atoi(arguments[2]), atoi(arguments[3]));
  } else if (count == 4 && strcmp(what, "shared") == 0) {
    check_shared(atoi(arguments[2]), atoi(arguments[3]));
  } else fail("expected: sets | bits SET MIN_THREADS MAX_THREADS | aborts SET THREADS | shared SET THREADS");
  return 0;
}
