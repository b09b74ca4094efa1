// One step of GPT-J: tokens in, logits out.
//
// Letters: n rows (tokens of the step), d width, f width of the MLP, h heads.
//
//   x = embedding of the tokens                                                     [n, d]
//   for each layer:
//     y = norm(x)                                     one norm feeds both branches
//     q, k, v = Wq y, Wk y, Wv y                      no biases
//     m = gelu(W_in y + b_in)                         [n, f]
//     rotate q and k; append k and v to the cache
//     a = attention(q, cache)
//     x = x + (W_out a + W_down m + b_down)           both branches are parallel
//   logits = W_head norm(x) + b_head                  for the rows that are scored
//
// Rows of a sequence with adapters add up (down x) to each product W x: see adapters.h.
//
// All threads run `compute` together. They share out the work of a phase, through a counter where pieces differ in time,
// and meet at a barrier before the next one: five phases a layer. Who computes a piece does not change its bits.
#pragma once
#include "adapters.h"
#include "attention.h"
#include "pool.h"
#include "rows.h"

enum { PHASES = 5, COUNTER_BYTES = 64 };

// Memory of a step, all of it in one piece that the caller provides.
typedef struct {
  const step *s;
  uint8_t *counters;                      // one a phase, a cache line each
  float *x, *y, *query, *key, *value;     // [MAX_ROWS][padded width]
  activations normed, attention, mlp, out; // inputs of products
  float *attention_row;                   // [MAX_ROWS][padded width]
  float *mlp_row;                         // [MAX_ROWS][padded hidden], where the model has adapters
  float *lowered;                         // [MAX_ROWS][OF_NORM][m->lowered]
  uint8_t *scratch;                       // of each thread
  int64_t scratch_bytes, padded, units, head_size, padded_head, scores;
  int heads_are_blocks; // every head is whole blocks of activations, and no block is padding
  int adapts;           // a sequence of the step has adapters
} run;

static int64_t place(uint8_t *memory, int64_t *at, void *pointer, int64_t bytes) {
  if (memory) *(uint8_t **)pointer = memory + *at;
  return *at += rounded(bytes, 64);
}

// Lay out the memory of a step; without memory, only count its bytes.
static int64_t lay_out(run *r, const model *m, int64_t threads, uint8_t *memory) {
  int64_t at = 0;
  r->padded = rounded(m->width, COLUMNS_OF_UNIT);
  r->units = r->padded / COLUMNS_OF_UNIT;
  r->head_size = m->width / m->heads;
  r->padded_head = rounded(r->head_size, 16);
  r->scores = rounded(m->context, 16);
  r->heads_are_blocks = r->head_size % BLOCK == 0 && m->width == r->padded;
  const int64_t row = r->padded * 4, hidden_units = rounded(m->hidden, COLUMNS_OF_UNIT) / COLUMNS_OF_UNIT;
  place(memory, &at, &r->counters, (m->layers + 1) * PHASES * COUNTER_BYTES);
  place(memory, &at, &r->x, MAX_ROWS * row);
  place(memory, &at, &r->y, MAX_ROWS * row);
  place(memory, &at, &r->query, MAX_ROWS * row);
  place(memory, &at, &r->key, MAX_ROWS * row);
  place(memory, &at, &r->value, MAX_ROWS * row);
  place(memory, &at, &r->attention_row, MAX_ROWS * row);
  r->normed.units = r->attention.units = r->out.units = r->units;
  r->mlp.units = hidden_units;
  activations *each[] = {&r->normed, &r->attention, &r->mlp, &r->out};
  UNROLL for (int i = 0; i < 4; i++) {
    place(memory, &at, &each[i]->int8, MAX_ROWS * each[i]->units * 2 * INT8_BLOCK_BYTES);
    place(memory, &at, &each[i]->f32, MAX_ROWS * each[i]->units * COLUMNS_OF_UNIT * 4);
  }
  const int64_t adapted_rows = m->lowered > 0 ? MAX_ROWS : 0;
  place(memory, &at, &r->mlp_row, adapted_rows * hidden_units * COLUMNS_OF_UNIT * 4);
  place(memory, &at, &r->lowered, adapted_rows * OF_NORM * m->lowered * 4);
  // A thread's rows of one super-row, and what attention needs for QUERIES queries.
  const int64_t products = MAX_ROWS * GROUPS_OF_SUPER_ROW * ROWS_OF_GROUP * 4;
  const int64_t attention = QUERIES * (2 * r->padded_head + r->scores) * 4;
  r->scratch_bytes = rounded(products > attention ? products : attention, 64);
  place(memory, &at, &r->scratch, threads * r->scratch_bytes);
  return at;
}

// down x of one row and target. The targets that read norm(x) are done with when the others need the room.
static float *lowered_of(const run *r, int64_t row, int target) {
  return r->lowered + (row * OF_NORM + target % OF_NORM) * r->s->model->lowered;
}

static int64_t next_item(run *r, int64_t layer, int phase) {
  int64_t *counter = (int64_t *)(r->counters + (layer * PHASES + phase) * COUNTER_BYTES);
  if (__atomic_load_n(r->s->abort, __ATOMIC_RELAXED)) return INT64_MAX;
  return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void meet(run *r) { pool_meet(r->s->pool, (uint32_t)r->s->threads); }

// This thread's share of `count` equal pieces.
static int64_t share(const run *r, int64_t count, int64_t thread) { return count * thread / r->s->threads; }

// Groups of rows that a thread takes at a time: whole super-rows, or halves where there would be few of them.
static int64_t groups_of_item(const run *r, int64_t groups) {
  return groups < GROUPS_OF_SUPER_ROW * 4 * r->s->threads ? GROUPS_OF_SUPER_ROW / 2 : GROUPS_OF_SUPER_ROW;
}
static int64_t item_count(const matrix *m, int64_t size) { return (m->groups + size - 1) / size; }
static int64_t groups_at(const matrix *m, int64_t item, int64_t size) {
  const int64_t left = m->groups - item * size;
  return left < size ? left : size;
}

// The sequence that has this row.
static const sequence *sequence_of(const step *s, int64_t row) {
  int64_t low = 0, high = s->sequences;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (s->sequence[middle].first_row <= row) low = middle;
    else high = middle;
  }
  return &s->sequence[low];
}

// down x of every row that has adapters, for the targets `first` to `end - 1`.
static void lower_rows(run *r, int64_t at, int64_t thread, int first, int end) {
  const step *s = r->s;
  const int64_t count = end - first, hidden = r->mlp.units * COLUMNS_OF_UNIT;
  for (int64_t i = share(r, s->rows * count, thread), last = share(r, s->rows * count, thread + 1); i < last; i++) {
    const int64_t row = i / count;
    const int target = first + (int)(i % count), of_mlp = target == MLP_OUT;
    const float *x = of_mlp ? r->mlp_row + row * hidden : (target == ATTENTION_OUT ? r->attention_row : r->y) + row * r->padded;
    lower(sequence_of(s, row), at, target, x, of_mlp ? hidden : r->padded, lowered_of(r, row, target));
  }
}

// Add up (down x) of each row to `groups` groups of `out`, [rows][stride].
static void raise_rows(const run *r, int64_t at, int target, int64_t first, int64_t groups, float *out, int64_t stride) {
  if (!r->adapts) return;
  for (int64_t i = 0; i < r->s->rows; i++) raise(sequence_of(r->s, i), at, target, lowered_of(r, i, target), first, groups, out + i * stride);
}

// Phase 0: y = norm(x), as the products read it.
static void norm_rows(run *r, const layer *l, int64_t thread) {
  const model *m = r->s->model;
  for (int64_t i = share(r, r->s->rows, thread), end = share(r, r->s->rows, thread + 1); i < end; i++) {
    layer_norm(r->y + i * r->padded, r->x + i * r->padded, l->norm_weight, l->norm_bias, m->width, r->padded, (float)m->epsilon);
    put_row(&r->normed, (int)i, r->y + i * r->padded);
  }
}

// Phase 1: q, k, v and the hidden values of the MLP, which are rounded while they are in the cache.
static void project(run *r, int64_t at, int64_t thread) {
  const model *m = r->s->model;
  const layer *l = &m->layer[at];
  const int64_t size = groups_of_item(r, 3 * l->query.groups + l->mlp_in.groups);
  const int64_t of_query = item_count(&l->query, size), of_mlp = item_count(&l->mlp_in, size);
  float *mine = (float *)(r->scratch + thread * r->scratch_bytes);
  for (int64_t item; (item = next_item(r, at, 1)) < 3 * of_query + of_mlp;) {
    // The long items first, so that the threads end together.
    if (item >= of_mlp) {
      const int64_t which = (item - of_mlp) / of_query, part = (item - of_mlp) % of_query;
      const matrix *w = which == 0 ? &l->query : which == 1 ? &l->key : &l->value;
      float *to = which == 0 ? r->query : which == 1 ? r->key : r->value;
      multiply(w, part * size, groups_at(w, part, size), &r->normed, to + part * size * ROWS_OF_GROUP, r->padded, 0);
      raise_rows(r, at, QUERY + (int)which, part * size, groups_at(w, part, size), to + part * size * ROWS_OF_GROUP, r->padded);
      continue;
    }
    const int64_t groups = groups_at(&l->mlp_in, item, size), first = item * size * ROWS_OF_GROUP, count = groups * ROWS_OF_GROUP;
    multiply(&l->mlp_in, item * size, groups, &r->normed, mine, count, 0);
    raise_rows(r, at, MLP_IN, item * size, groups, mine, count);
    for (int64_t i = 0; i < r->s->rows; i++) {
      float *row = mine + i * count;
      for (int64_t j = 0; j < count; j += 16) v_store(row + j, v_gelu(v_add(v_load(row + j), v_load(l->mlp_in_bias + first + j))));
      if (r->adapts) for (int64_t j = 0; j < count; j += 16) v_store(r->mlp_row + i * r->mlp.units * COLUMNS_OF_UNIT + first + j, v_load(row + j));
      const row_place place = place_of_row(&r->mlp, (int)i);
      for (int64_t j = 0; j < count; j += BLOCK) put_block(&place, (first + j) / BLOCK, row + j);
    }
  }
}

// Rotate the first `rotary` dimensions of a head by the angles of a position. The export puts the even dimensions of
// GPT-J's pairs first, then the odd ones, so that pair i is (i, i + rotary/2).
static void rotate(float *x, const float *angles, int64_t rotary) {
  const int64_t half = rotary / 2;
  for (int64_t i = 0; i < half; i++) {
    const float even = x[i], odd = x[i + half], cosine = angles[i], sine = angles[i + half];
    const float a = even * cosine, b = odd * sine, c = odd * cosine, d = even * sine;
    x[i] = a - b;
    x[i + half] = c + d;
  }
}

static void store_cached(const run *r, uint8_t *to, const float *from) {
  for (int64_t i = 0; i < r->padded_head; i += 16) {
    float rest[16] = {0};
    const float *x = from + i;
    if (i + 16 > r->head_size) {
      for (int64_t j = i; j < r->head_size; j++) rest[j - i] = from[j];
      x = rest;
    }
    if (r->s->wide) v_store((float *)to + i, v_load(x));
    else v_store_f16((uint16_t *)to + i, v_load(x));
  }
}

// Bytes before the row of a cell in keys or values.
static int64_t cache_offset(const run *r, int64_t layer, int64_t head, int64_t cell) {
  return ((layer * r->s->model->heads + head) * r->s->cells + cell) * r->padded_head * (r->s->wide ? 4 : 2);
}

// Phase 2: keys and values of the new positions into their cells.
static void append_to_cache(run *r, int64_t at, int64_t thread) {
  const step *s = r->s;
  const model *m = s->model;
  for (int64_t i = share(r, s->rows * m->heads, thread), end = share(r, s->rows * m->heads, thread + 1); i < end; i++) {
    const int64_t row = i / m->heads, head = i % m->heads;
    const sequence *of = sequence_of(s, row);
    const int64_t position = of->position + row - of->first_row, to = cache_offset(r, at, head, of->cells[position]);
    float *key = r->key + row * r->padded + head * r->head_size;
    rotate(key, m->rotation + position * m->rotary, m->rotary);
    store_cached(r, s->keys + to, key);
    store_cached(r, s->values + to, r->value + row * r->padded + head * r->head_size);
  }
}

static int64_t query_blocks(const sequence *s) { return (s->rows + QUERIES - 1) / QUERIES; }

// Phase 3: attention of up to QUERIES rows of one sequence and one head at a time.
static void attend_rows(run *r, int64_t at, int64_t thread) {
  const step *s = r->s;
  const model *m = s->model;
  float *q = (float *)(r->scratch + thread * r->scratch_bytes), *out = q + QUERIES * r->padded_head, *scores = out + QUERIES * r->padded_head;
  const float scale = 1.f / __builtin_sqrtf((float)r->head_size);
  int64_t which = 0, before = 0;
  for (int64_t item; (item = next_item(r, at, 3)) < INT64_MAX;) {
    // Items of a sequence are its blocks of queries, head by head. The last sequences are the first to be done.
    while (which < s->sequences && item >= before + query_blocks(&s->sequence[which]) * m->heads) before += query_blocks(&s->sequence[which++]) * m->heads;
    if (which == s->sequences) return;
    const sequence *of = &s->sequence[which];
    const int64_t head = (item - before) % m->heads, first = (item - before) / m->heads * QUERIES;
    const int64_t left = of->rows - first, queries = left < QUERIES ? left : QUERIES;
    for (int64_t i = 0; i < queries; i++) {
      const float *from = r->query + (of->first_row + first + i) * r->padded + head * r->head_size;
      float *to = q + i * r->padded_head;
      for (int64_t j = 0; j < r->head_size; j++) to[j] = from[j];
      for (int64_t j = r->head_size; j < r->padded_head; j++) to[j] = 0;
      rotate(to, m->rotation + (of->position + first + i) * m->rotary, m->rotary);
      for (int64_t j = 0; j < r->padded_head; j += 16) v_store(to + j, v_mul(v_load(to + j), v_set(scale)));
    }
    const attended a = {s->keys + cache_offset(r, at, head, 0), s->values + cache_offset(r, at, head, 0), of->cells, r->padded_head};
    attend(&a, s->wide != 0, q, queries, of->position + first + queries, scores, r->scores, out);
    for (int64_t i = 0; i < queries; i++) {
      const int64_t row = of->first_row + first + i;
      if (r->heads_are_blocks) {
        const row_place place = place_of_row(&r->attention, (int)row);
        for (int64_t j = 0; j < r->head_size; j += BLOCK) put_block(&place, (head * r->head_size + j) / BLOCK, out + i * r->padded_head + j);
        if (!r->adapts) continue;
      }
      float *to = r->attention_row + row * r->padded + head * r->head_size;
      for (int64_t j = 0; j < r->head_size; j++) to[j] = out[i * r->padded_head + j];
    }
  }
}

// What attention gave, as the product reads it, where a block has more than one head.
static void put_attention(run *r, int64_t thread) {
  for (int64_t i = share(r, r->s->rows, thread), end = share(r, r->s->rows, thread + 1); i < end; i++)
    put_row(&r->attention, (int)i, r->attention_row + i * r->padded);
}

// Phase 4: both branches into the residual stream.
static void add_branches(run *r, int64_t at, int64_t thread) {
  const layer *l = &r->s->model->layer[at];
  const matrix *out = &l->attention_out;
  const int64_t size = groups_of_item(r, out->groups);
  float *mine = (float *)(r->scratch + thread * r->scratch_bytes);
  for (int64_t item; (item = next_item(r, at, 4)) < item_count(out, size);) {
    const int64_t groups = groups_at(out, item, size), first = item * size * ROWS_OF_GROUP, count = groups * ROWS_OF_GROUP;
    multiply(out, item * size, groups, &r->attention, mine, count, 0);
    multiply(&l->mlp_out, item * size, groups, &r->mlp, mine, count, 1);
    raise_rows(r, at, ATTENTION_OUT, item * size, groups, mine, count);
    raise_rows(r, at, MLP_OUT, item * size, groups, mine, count);
    for (int64_t i = 0; i < r->s->rows; i++) {
      float *x = r->x + i * r->padded + first;
      for (int64_t j = 0; j < count; j += 16) v_store(x + j, v_add(v_load(x + j), v_add(v_load(mine + i * count + j), v_load(l->mlp_out_bias + first + j))));
    }
  }
}

// Residual streams that are scored before a block (early exit).
static void keep_exits(run *r, int64_t at, int64_t thread) {
  for (int64_t i = thread; i < r->s->outputs; i += r->s->threads) {
    const output *o = &r->s->output[i];
    if (o->layer != at) continue;
    for (int64_t j = 0; j < r->padded; j += 16) v_store(r->s->exits + i * r->padded + j, v_load(r->x + o->row * r->padded + j));
  }
}

// The head: logits of up to MAX_ROWS outputs at a time.
static void score(run *r, int64_t thread) {
  const step *s = r->s;
  const model *m = s->model;
  const matrix *w = &m->head;
  for (int64_t i = thread; i < s->outputs; i += s->threads) {
    const output *o = &s->output[i];
    float *row = s->exits + i * r->padded;
    if (o->layer >= 0) continue;
    layer_norm(row, r->x + o->row * r->padded, m->norm_weight, m->norm_bias, m->width, r->padded, (float)m->epsilon);
    if (o->hidden) for (int64_t j = 0; j < m->width; j++) o->hidden[j] = row[j];
  }
  const int64_t size = groups_of_item(r, w->groups);
  float *mine = (float *)(r->scratch + thread * r->scratch_bytes);
  for (int64_t from = 0; from < s->outputs; from += MAX_ROWS) {
    const int64_t rows = s->outputs - from < MAX_ROWS ? s->outputs - from : MAX_ROWS;
    meet(r);
    if (thread == 0) {
      r->out.rows = (int)rows;
      *(int64_t *)(r->counters + m->layers * PHASES * COUNTER_BYTES) = 0;
    }
    meet(r);
    for (int64_t i = thread; i < rows; i += s->threads) put_row(&r->out, (int)i, s->exits + (from + i) * r->padded);
    meet(r);
    for (int64_t item; (item = next_item(r, m->layers, 0)) < item_count(w, size);) {
      const int64_t groups = groups_at(w, item, size), first = item * size * ROWS_OF_GROUP, count = groups * ROWS_OF_GROUP;
      multiply(w, item * size, groups, &r->out, mine, count, 0);
      for (int64_t i = 0; i < rows; i++) {
        float *to = s->output[from + i].logits + first;
        for (int64_t j = 0; j < count && first + j < m->vocabulary; j += 16) {
          const v16 sum = v_add(v_load(mine + i * count + j), v_load(m->head_bias + first + j));
          if (first + j + 16 <= m->vocabulary) v_store(to + j, sum);
          else {
            float rest[16];
            v_store(rest, sum);
            for (int64_t k = 0; first + j + k < m->vocabulary; k++) to[j + k] = rest[k];
          }
        }
      }
    }
  }
}

static void embed(run *r, int64_t thread) {
  const step *s = r->s;
  const model *m = s->model;
  for (int64_t i = share(r, s->rows, thread), end = share(r, s->rows, thread + 1); i < end; i++) {
    float *x = r->x + i * r->padded;
    unpack_row(x, m->embedding + s->tokens[i] * m->embedding_row_bytes, m->embedding_type, m->width);
    for (int64_t j = m->width; j < r->padded; j++) x[j] = 0;
    float *a = r->attention_row + i * r->padded;
    for (int64_t j = m->width; j < r->padded; j++) a[j] = 0;
  }
}

static void compute(void *job, int thread) {
  run *r = job;
  const model *m = r->s->model;
  embed(r, thread);
  // A thread that sees the abort takes no further item but goes on to every barrier, so that all of them end.
  for (int64_t at = 0; at < m->layers; at++) {
    const layer *l = &m->layer[at];
    meet(r);
    keep_exits(r, at, thread);
    norm_rows(r, l, thread);
    meet(r);
    if (r->adapts) {
      lower_rows(r, at, thread, QUERY, OF_NORM);
      meet(r);
    }
    project(r, at, thread);
    meet(r);
    append_to_cache(r, at, thread);
    meet(r);
    attend_rows(r, at, thread);
    meet(r);
    if (!r->heads_are_blocks) {
      put_attention(r, thread);
      meet(r);
    }
    if (r->adapts) {
      lower_rows(r, at, thread, ATTENTION_OUT, TARGETS);
      meet(r);
    }
    add_branches(r, at, thread);
  }
  meet(r);
  score(r, thread);
}

static int form_of(const matrix *m) { return is_quantised(m->type) ? 1 : 2; }

// See gptj_step_bytes in library.c.
int64_t SET_NAME(step_bytes)(const model *m, int64_t threads) {
  run r = {0};
  return lay_out(&r, m, threads, 0);
}

// Keep the forms of activations that some product reads: int8, float32 or both.
static void choose_forms(run *r) {
  const model *m = r->s->model;
  int forms[4] = {0};
  for (int64_t i = 0; i < m->layers; i++) {
    const layer *l = &m->layer[i];
    forms[0] |= form_of(&l->query) | form_of(&l->key) | form_of(&l->value) | form_of(&l->mlp_in);
    forms[1] |= form_of(&l->attention_out);
    forms[2] |= form_of(&l->mlp_out);
  }
  forms[3] = form_of(&m->head);
  activations *each[] = {&r->normed, &r->attention, &r->mlp, &r->out};
  for (int i = 0; i < 4; i++) {
    if (!(forms[i] & 1)) each[i]->int8 = 0;
    if (!(forms[i] & 2)) each[i]->f32 = 0;
  }
}

// See gptj_step in library.c.
int64_t SET_NAME(run_step)(const step *s) {
  run r = {.s = s};
  const model *m = s->model;
  lay_out(&r, m, s->threads, s->memory);
  choose_forms(&r);
  for (int64_t i = 0; i < s->sequences; i++) r.adapts |= s->sequence[i].adapters > 0;
  r.normed.rows = r.attention.rows = r.mlp.rows = (int)s->rows;
  for (int64_t i = 0; i < (m->layers + 1) * PHASES; i++) *(int64_t *)(r.counters + i * COUNTER_BYTES) = 0;
  pool_run(s->pool, compute, &r, (int)s->threads);
  return __atomic_load_n(s->abort, __ATOMIC_RELAXED) ? STEP_ABORTED : STEP_DONE;
}
