// Small models of random weights, packed by the library. Equal seeds make equal models on every machine.
#pragma once
#include "../abi.h"
#include "../rows.h"
#include "guarded.h"
#include <string.h>

int64_t gptj_unit_bytes(int64_t type);
void gptj_pack(const pack *p);

static uint64_t random_state;
static uint32_t random_bits(void) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 33);
}
// -1 to 1.
static float random_float(void) { return (float)(int32_t)(random_bits() % 2000001) * 1e-6f - 1.f; }
// A half of 2^-9 to 2^-5, of either sign.
static uint16_t random_half(void) { return (uint16_t)((random_bits() & 1) << 15 | (6 + random_bits() % 4) << 10 | (random_bits() & 1023)); }

typedef struct {
  const char *name;
  int64_t width, heads, rotary, hidden, vocabulary;
  // Types of query, key, value, attention_out, mlp_in, mlp_out, head, embedding.
  int64_t types[8];
} shape;

enum { LAYERS = 2, CONTEXT = 152, MAX_PIECES = 128, ADAPTERS = 2, LOWERED = 48 };
// Of the adapters: no multiples of 16, and padded together LOWERED.
static const int64_t RANKS[ADAPTERS] = {5, 17};

typedef struct {
  model m;
  layer layers[LAYERS];
  adapter_layer adapters[ADAPTERS][LAYERS];
  guarded pieces[MAX_PIECES];
  int piece_count;
} random_model;

static void *piece(random_model *r, size_t bytes) {
  if (r->piece_count == MAX_PIECES) fail("too many pieces");
  guarded *g = &r->pieces[r->piece_count++];
  *g = guarded_map(bytes);
  return last_bytes(g, bytes);
}

static int64_t row_bytes(int64_t type, int64_t length) {
  switch (type) {
    case F32: return length * 4;
    case Q4_0: return length / 32 * Q4_0_BLOCK;
    case Q8_0: return length / 32 * Q8_0_BLOCK;
    case Q4_K: return length / K_WEIGHTS * Q4_K_BLOCK;
    case Q5_K: return length / K_WEIGHTS * Q5_K_BLOCK;
    case Q6_K: return length / K_WEIGHTS * Q6_K_BLOCK;
    default: return length * 2;
  }
}

static void put_16(uint8_t *to, uint16_t value) { memcpy(to, &value, 2); }

// Rows as a GGUF file has them.
static void random_rows(uint8_t *to, int64_t type, int64_t values) {
  const int64_t bytes = row_bytes(type, values);
  if (type == F32 || type == F16 || type == BF16) {
    for (int64_t i = 0; i < values; i++) {
      const float value = random_float() * 0.06f;
      uint32_t bits;
      memcpy(&bits, &value, 4);
      if (type == F32) memcpy(to + 4 * i, &bits, 4);
      else put_16(to + 2 * i, type == F16 ? random_half() : (uint16_t)(bits >> 16));
    }
    return;
  }
  for (int64_t i = 0; i < bytes; i++) to[i] = (uint8_t)(random_bits() >> 8);
  const int64_t block = row_bytes(type, type == Q4_0 || type == Q8_0 ? 32 : K_WEIGHTS);
  // Scales that make the weights about as large as those above: the types' largest values are 8, 128, and hundreds or thousands.
  const int smaller = type == Q4_0 ? 0 : type == Q8_0 ? 4 : 5;
  for (int64_t at = 0; at < bytes; at += block) {
    const uint16_t scale = (uint16_t)(random_half() - (smaller << 10));
    put_16(to + at + (type == Q6_K ? 208 : 0), scale);
    if (type == Q4_K || type == Q5_K) put_16(to + at + 2, scale);
    if (type == Q6_K) for (int i = 0; i < 16; i++) to[at + 192 + i] = (uint8_t)(random_bits() % 33 - 16);
  }
}

static matrix random_matrix(random_model *r, int64_t type, int64_t rows, int64_t columns) {
  matrix m = {0, type, ((rows + 15) / 16 + 3) / 4 * 4, (columns + 63) / 64};
  m.weights = piece(r, (size_t)(m.groups * m.units * gptj_unit_bytes(type)));
  // In pieces of three groups, as a loader packs a file piece by piece.
  for (int64_t first = 0; first * 16 < rows; first += 3) {
    const int64_t count = rows - first * 16 < 48 ? rows - first * 16 : 48;
    const size_t bytes = (size_t)(count * row_bytes(type, columns));
    guarded g = guarded_map(bytes);
    const pack p = {last_bytes(&g, bytes), count, columns, first, (count + 15) / 16, m};
    random_rows(last_bytes(&g, bytes), type, count * columns);
    gptj_pack(&p);
    guarded_free(&g);
  }
  return m;
}

static const float *random_vector(random_model *r, int64_t length, float around) {
  float *v = piece(r, (size_t)((length + 63) / 64 * 64 * 4));
  for (int64_t i = 0; i < length; i++) v[i] = around + 0.2f * random_float();
  return v;
}

static low_rank random_low_rank(random_model *r, int64_t rank, const matrix *w) {
  const int64_t padded = (rank + 15) / 16 * 16, columns = w->units * 64;
  float *down = piece(r, (size_t)(padded * columns * 4)), *up = piece(r, (size_t)(w->groups * rank * 16 * 4));
  // Columns and rows that the model does not have are read as well, and are multiplied by zero or not used.
  for (int64_t i = 0; i < padded * columns; i++) down[i] = i / (16 * columns) * 16 + i % 16 < rank ? 0.1f * random_float() : 0;
  for (int64_t i = 0; i < w->groups * rank * 16; i++) up[i] = 0.1f * random_float();
  return (low_rank){down, up, rank};
}

static void make_random_model(random_model *r, const shape *s) {
  memset(r, 0, sizeof *r);
  random_state = 42;
  model *m = &r->m;
  *m = (model){.layers = LAYERS, .width = s->width, .heads = s->heads, .rotary = s->rotary, .hidden = s->hidden,
               .vocabulary = s->vocabulary, .context = CONTEXT, .epsilon = 1e-5, .layer = r->layers};
  for (int i = 0; i < LAYERS; i++) {
    layer *l = &r->layers[i];
    l->norm_weight = random_vector(r, s->width, 1);
    l->norm_bias = random_vector(r, s->width, 0);
    l->query = random_matrix(r, s->types[0], s->width, s->width);
    l->key = random_matrix(r, s->types[1], s->width, s->width);
    l->value = random_matrix(r, s->types[2], s->width, s->width);
    l->attention_out = random_matrix(r, s->types[3], s->width, s->width);
    l->mlp_in = random_matrix(r, s->types[4], s->hidden, s->width);
    l->mlp_out = random_matrix(r, s->types[5], s->width, s->hidden);
    l->mlp_in_bias = random_vector(r, s->hidden, 0);
    l->mlp_out_bias = random_vector(r, s->width, 0);
  }
  const uint64_t state = random_state;
  m->lowered = LOWERED;
  for (int i = 0; i < ADAPTERS; i++) {
    for (int at = 0; at < LAYERS; at++) {
      const layer *l = &r->layers[at];
      const matrix *each[TARGETS] = {&l->query, &l->key, &l->value, &l->mlp_in, &l->attention_out, &l->mlp_out};
      // The first adapter leaves a matrix of each layer alone.
      for (int t = 0; t < TARGETS; t++)
        if (i > 0 || t != 2 * at) r->adapters[i][at].target[t] = random_low_rank(r, RANKS[i], each[t]);
    }
  }
  random_state = state;
  m->norm_weight = random_vector(r, s->width, 1);
  m->norm_bias = random_vector(r, s->width, 0);
  m->head = random_matrix(r, s->types[6], s->vocabulary, s->width);
  m->head_bias = random_vector(r, s->vocabulary, 0);
  m->embedding_type = s->types[7];
  m->embedding_row_bytes = row_bytes(m->embedding_type, s->width);
  uint8_t *embedding = piece(r, (size_t)(m->embedding_row_bytes * s->vocabulary));
  random_rows(embedding, m->embedding_type, s->vocabulary * s->width);
  m->embedding = embedding;
  float *rotation = piece(r, (size_t)(CONTEXT * s->rotary * 4));
  for (int64_t i = 0; i < CONTEXT * s->rotary; i++) rotation[i] = random_float();
  m->rotation = rotation;
}

static void free_random_model(random_model *r) {
  for (int i = 0; i < r->piece_count; i++) guarded_free(&r->pieces[i]);
}
