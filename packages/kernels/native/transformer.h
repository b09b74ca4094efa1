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
// These are the phases of a plan (pool.h), whose items the threads share out. Who computes an item does not change its bits.
#pragma once
#include "adapters.h"
#include "attention.h"
#include "pool.h"
#include "rows.h"

// The phases, and the items that they consist of.
enum kind {
  EMBED,          // a row: its embedding
  NORM,           // a row: y = norm(x), as the products read it
  LOWER_NORM,     // a row and a target that reads norm(x), where rows have adapters
  PROJECT,        // some groups of rows of W_in, Wq, Wk or Wv
  APPEND,         // a row: its keys and values into their cells
  ATTEND,         // one head of up to QUERIES rows of a sequence
  PUT_ATTENTION,  // a row: what attention gave, as the product reads it, where a block has more than one head
  LOWER_BRANCHES, // a row and one of the other targets
  ADD,            // some groups of rows of both branches
  SCORED_ROWS,    // an output: its row, as the head reads it
  SCORE,          // some groups of rows of the head
  PHASES_OF_LAYER = ADD - NORM + 1,
};

// Memory of a step, all of it in one piece that the caller provides.
typedef struct {
  const step *s;
  plan *plan;
  phase *phases;
  void *kept;                             // this struct, where workers find it
  float *x, *y, *query, *key, *value;     // [MAX_ROWS][padded width]
  activations normed, attention, mlp, out; // inputs of products
  float *attention_row;                   // [MAX_ROWS][padded width]
  float *mlp_row;                         // [MAX_ROWS][padded hidden], where the model has adapters
  float *lowered;                         // [MAX_ROWS][OF_NORM][m->lowered]
  uint8_t *scratch;                       // of each thread
  int64_t scratch_bytes, padded, units, head_size, padded_head, scores;
  int heads_are_blocks; // every head is whole blocks of activations, and no block is padding
  int adapts;           // a sequence of the step has adapters
  int exits;            // a residual stream is scored before a layer
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
  place(memory, &at, &r->plan, sizeof(plan));
  place(memory, &at, &r->phases, (1 + PHASES_OF_LAYER * m->layers + 2 * (1 + m->layers)) * (int64_t)sizeof(phase));
  place(memory, &at, &r->kept, sizeof(run));
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

// down x of a row, for one of the targets `first` to `end` - 1.
static void lower_row(run *r, int64_t at, int64_t item, int first, int end) {
  const step *s = r->s;
  const int64_t count = end - first, hidden = r->mlp.units * COLUMNS_OF_UNIT, row = item / count;
  const int target = first + (int)(item % count), of_mlp = target == MLP_OUT;
  const float *x = of_mlp ? r->mlp_row + row * hidden : (target == ATTENTION_OUT ? r->attention_row : r->y) + row * r->padded;
  lower(sequence_of(s, row), at, target, x, of_mlp ? hidden : r->padded, lowered_of(r, row, target));
}

// Add up (down x) of each row to `groups` groups of `out`, [rows][stride].
static void raise_rows(const run *r, int64_t at, int target, int64_t first, int64_t groups, float *out, int64_t stride) {
  if (!r->adapts) return;
  for (int64_t i = 0; i < r->s->rows; i++) raise(sequence_of(r->s, i), at, target, lowered_of(r, i, target), first, groups, out + i * stride);
}

// The residual stream of a row before a layer, where it is scored there (early exit).
static void keep_exits(const run *r, int64_t at, int64_t row) {
  for (int64_t i = 0; i < r->s->outputs; i++) {
    const output *o = &r->s->output[i];
    if (o->layer != at || o->row != row) continue;
    for (int64_t j = 0; j < r->padded; j += 16) v_store(r->s->exits + i * r->padded + j, v_load(r->x + row * r->padded + j));
  }
}

static void norm_row(run *r, int64_t at, int64_t row) {
  const model *m = r->s->model;
  const layer *l = &m->layer[at];
  if (r->exits) keep_exits(r, at, row);
  layer_norm(r->y + row * r->padded, r->x + row * r->padded, l->norm_weight, l->norm_bias, m->width, r->padded, (float)m->epsilon);
  put_row(&r->normed, (int)row, r->y + row * r->padded);
}

static int64_t project_size(const run *r, const layer *l) { return groups_of_item(r, 3 * l->query.groups + l->mlp_in.groups); }
static int64_t project_items(const run *r, const layer *l) {
  const int64_t size = project_size(r, l);
  return 3 * item_count(&l->query, size) + item_count(&l->mlp_in, size);
}

// q, k, v and the hidden values of the MLP, which are rounded while they are in the cache.
static void project(run *r, int64_t at, int64_t item, float *mine) {
  const layer *l = &r->s->model->layer[at];
  const int64_t size = project_size(r, l), of_query = item_count(&l->query, size), of_mlp = item_count(&l->mlp_in, size);
  // The long items first, so that the threads end together.
  if (item >= of_mlp) {
    const int64_t which = (item - of_mlp) / of_query, part = (item - of_mlp) % of_query;
    const matrix *w = which == 0 ? &l->query : which == 1 ? &l->key : &l->value;
    float *to = which == 0 ? r->query : which == 1 ? r->key : r->value;
    multiply(w, part * size, groups_at(w, part, size), &r->normed, to + part * size * ROWS_OF_GROUP, r->padded, 0);
    raise_rows(r, at, QUERY + (int)which, part * size, groups_at(w, part, size), to + part * size * ROWS_OF_GROUP, r->padded);
    return;
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

// Keys and values of a row into their cell.
static void append_to_cache(run *r, int64_t at, int64_t row) {
  const step *s = r->s;
  const model *m = s->model;
  const sequence *of = sequence_of(s, row);
  const int64_t position = of->position + row - of->first_row;
  for (int64_t head = 0; head < m->heads; head++) {
    const int64_t to = cache_offset(r, at, head, of->cells[position]);
    float *key = r->key + row * r->padded + head * r->head_size;
    rotate(key, m->rotation + position * m->rotary, m->rotary);
    store_cached(r, s->keys + to, key);
    store_cached(r, s->values + to, r->value + row * r->padded + head * r->head_size);
  }
}

static int64_t query_blocks(const sequence *s) { return (s->rows + QUERIES - 1) / QUERIES; }

static int64_t attend_items(const step *s) {
  int64_t items = 0;
  for (int64_t i = 0; i < s->sequences; i++) items += query_blocks(&s->sequence[i]) * s->model->heads;
  return items;
}

// Attention of up to QUERIES rows of one sequence and one head.
static void attend_rows(run *r, int64_t at, int64_t item, float *q, cursor *place) {
  const step *s = r->s;
  const model *m = s->model;
  float *out = q + QUERIES * r->padded_head, *scores = out + QUERIES * r->padded_head;
  const float scale = 1.f / __builtin_sqrtf((float)r->head_size);
  // Items of a sequence are its blocks of queries, head by head.
  for (int64_t items; item >= place->before + (items = query_blocks(&s->sequence[place->which]) * m->heads); place->which++) place->before += items;
  const sequence *of = &s->sequence[place->which];
  const int64_t head = (item - place->before) % m->heads, first = (item - place->before) / m->heads * QUERIES;
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
      const row_place place_of = place_of_row(&r->attention, (int)row);
      for (int64_t j = 0; j < r->head_size; j += BLOCK) put_block(&place_of, (head * r->head_size + j) / BLOCK, out + i * r->padded_head + j);
      if (!r->adapts) continue;
    }
    float *to = r->attention_row + row * r->padded + head * r->head_size;
    for (int64_t j = 0; j < r->head_size; j++) to[j] = out[i * r->padded_head + j];
  }
}

// Both branches into the residual stream.
static void add_branches(run *r, int64_t at, int64_t item, float *mine) {
  const layer *l = &r->s->model->layer[at];
  const matrix *out = &l->attention_out;
  const int64_t size = groups_of_item(r, out->groups);
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

// The head computes up to MAX_ROWS outputs at a time: part `at` of them.
static int64_t rows_of_part(const step *s, int64_t at) {
  const int64_t left = s->outputs - at * MAX_ROWS;
  return left < MAX_ROWS ? left : MAX_ROWS;
}
static activations rows_of_head(const run *r, int64_t at) {
  activations rows = r->out;
  rows.rows = (int)rows_of_part(r->s, at);
  return rows;
}

static void put_scored_row(const run *r, int64_t at, int64_t item) {
  const step *s = r->s;
  const model *m = s->model;
  const output *o = &s->output[at * MAX_ROWS + item];
  float *row = s->exits + (at * MAX_ROWS + item) * r->padded;
  if (o->layer < 0) {
    layer_norm(row, r->x + o->row * r->padded, m->norm_weight, m->norm_bias, m->width, r->padded, (float)m->epsilon);
    if (o->hidden) for (int64_t j = 0; j < m->width; j++) o->hidden[j] = row[j];
  }
  const activations rows = rows_of_head(r, at);
  put_row(&rows, (int)item, row);
}

static void score(const run *r, int64_t at, int64_t item, float *mine) {
  const step *s = r->s;
  const model *m = s->model;
  const matrix *w = &m->head;
  const activations rows = rows_of_head(r, at);
  const int64_t size = groups_of_item(r, w->groups);
  const int64_t groups = groups_at(w, item, size), first = item * size * ROWS_OF_GROUP, count = groups * ROWS_OF_GROUP;
  multiply(w, item * size, groups, &rows, mine, count, 0);
  for (int64_t i = 0; i < rows.rows; i++) {
    float *to = s->output[at * MAX_ROWS + i].logits + first;
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

static void embed(run *r, int64_t row) {
  const step *s = r->s;
  const model *m = s->model;
  float *x = r->x + row * r->padded, *a = r->attention_row + row * r->padded;
  unpack_row(x, m->embedding + s->tokens[row] * m->embedding_row_bytes, m->embedding_type, m->width);
  for (int64_t j = m->width; j < r->padded; j++) x[j] = a[j] = 0;
}

static void compute_item(void *job, const phase *of, int64_t item, int thread, cursor *place) {
  run *r = job;
  // An aborted step goes through its phases without computing, so that all threads end.
  if (__atomic_load_n(r->s->abort, __ATOMIC_RELAXED)) return;
  float *mine = (float *)(r->scratch + thread * r->scratch_bytes);
  switch ((enum kind)of->kind) {
    case EMBED: return embed(r, item);
    case NORM: return norm_row(r, of->at, item);
    case LOWER_NORM: return lower_row(r, of->at, item, QUERY, OF_NORM);
    case PROJECT: return project(r, of->at, item, mine);
    case APPEND: return append_to_cache(r, of->at, item);
    case ATTEND: return attend_rows(r, of->at, item, mine, place);
    case PUT_ATTENTION: return put_row(&r->attention, (int)item, r->attention_row + item * r->padded);
    case LOWER_BRANCHES: return lower_row(r, of->at, item, ATTENTION_OUT, TARGETS);
    case ADD: return add_branches(r, of->at, item, mine);
    case SCORED_ROWS: return put_scored_row(r, of->at, item);
    case SCORE: return score(r, of->at, item, mine);
    default: return;
  }
}

static void plan_step(run *r, plan *of) {
  const step *s = r->s;
  const model *m = s->model;
  pool *p = s->pool;
  const int64_t rows = s->rows;
  plan_begin(p, of, compute_item, r);
  plan_add(p, of, EMBED, 0, rows);
  for (int64_t at = 0; at < m->layers; at++) {
    const layer *l = &m->layer[at];
    plan_add(p, of, NORM, at, rows);
    if (r->adapts) plan_add(p, of, LOWER_NORM, at, rows * OF_NORM);
    plan_add(p, of, PROJECT, at, project_items(r, l));
    plan_add(p, of, APPEND, at, rows);
    plan_add(p, of, ATTEND, at, attend_items(s));
    if (!r->heads_are_blocks) plan_add(p, of, PUT_ATTENTION, at, rows);
    if (r->adapts) plan_add(p, of, LOWER_BRANCHES, at, rows * (TARGETS - ATTENTION_OUT));
    plan_add(p, of, ADD, at, item_count(&l->attention_out, groups_of_item(r, l->attention_out.groups)));
  }
  for (int64_t at = 0; at * MAX_ROWS < s->outputs; at++) {
    plan_add(p, of, SCORED_ROWS, at, rows_of_part(s, at));
    plan_add(p, of, SCORE, at, item_count(&m->head, groups_of_item(r, m->head.groups)));
  }
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
  lay_out(&r, s->model, s->threads, s->memory);
  choose_forms(&r);
  for (int64_t i = 0; i < s->sequences; i++) r.adapts |= s->sequence[i].adapters > 0;
  for (int64_t i = 0; i < s->outputs; i++) r.exits |= s->output[i].layer >= 0;
  r.normed.rows = r.attention.rows = r.mlp.rows = (int)s->rows;
  run *kept = r.kept;
  *kept = r;
  if (!r.plan->phases) r.plan->phases = r.phases;
  plan_step(kept, r.plan);
  pool_run(s->pool, r.plan, (int)s->threads);
  return __atomic_load_n(s->abort, __ATOMIC_RELAXED) ? STEP_ABORTED : STEP_DONE;
}
