// Causal attention of one head over the KV cache.
//
// The cache has a cell for every position of every sequence, and a sequence lists its cells, so sequences with a common
// prefix list the same ones. Keys and values are rows of one head, in f16 or f32: [layers][heads][cells][head size].
//
// Two passes over the positions that a query sees. The first computes all scores; then their maximum is known, and the
// second adds values with weights e^(score - max). The order of operations for a query depends on its number of
// positions alone:
//   score    dimensions in order, 16 at a time, into one vector by fma; then the tree of v_sum
//   weights  16 positions at a time in order, into one vector; then the tree of v_sum
//   result   positions in order, by fma from zero; then times 1 / (sum of the weights)
// Up to QUERIES queries of one sequence share the reading of keys and values.
#pragma once
#include "functions.h"

enum { QUERIES = 8, POSITIONS_AT_ONCE = 16 };

typedef struct {
  const uint8_t *keys, *values; // of this layer and head
  const uint32_t *cells;
  int64_t head; // head size, padded to 16
} attended;

// The row of a cell; `wide` where the cache has f32.
INLINE const uint8_t *cache_row(const attended *a, const uint8_t *rows, uint32_t cell, const int wide) {
  return rows + (int64_t)cell * a->head * (wide ? 4 : 2);
}
INLINE v16 load_cached(const uint8_t *row, int64_t dimension, const int wide) {
  return wide ? v_load((const float *)row + dimension) : v_load_f16((const uint16_t *)row + dimension);
}
INLINE void prefetch_cached(const uint8_t *row, int64_t dimension, const int wide) { v_prefetch(row + dimension * (wide ? 4 : 2)); }

// Scores of 16 positions from `first` on for Q queries; sixteen dot products are in registers at a time.
INLINE void score_positions(const attended *a, int64_t first, int64_t count, const float *q, float *scores, int64_t stride, const int Q, const int wide) {
  const int P = POSITIONS_AT_ONCE / Q;
  UNROLL for (int group = 0; group < Q; group++) {
    const uint8_t *k[POSITIONS_AT_ONCE];
    // Positions past the last are read as the last, and not used.
    UNROLL for (int p = 0; p < P; p++) {
      const int64_t at = first + group * P + p;
      k[p] = cache_row(a, a->keys, a->cells[at < count ? at : count - 1], wide);
    }
    v16 sum[POSITIONS_AT_ONCE];
    UNROLL for (int i = 0; i < POSITIONS_AT_ONCE; i++) sum[i] = v_set(0);
    for (int64_t d = 0; d < a->head; d += 16) {
      UNROLL for (int p = 0; p < P; p++) {
        const v16 key = load_cached(k[p], d, wide);
        UNROLL for (int i = 0; i < Q; i++) sum[p * Q + i] = v_fma(v_load(q + i * a->head + d), key, sum[p * Q + i]);
      }
    }
    float sums[POSITIONS_AT_ONCE];
    v_store(sums, v_sums(sum));
    UNROLL for (int p = 0; p < P; p++)
      UNROLL for (int i = 0; i < Q; i++) scores[i * stride + first + group * P + p] = sums[p * Q + i];
  }
}

// Ask for the keys of 16 positions from `first` on.
INLINE void prefetch_keys(const attended *a, int64_t first, int64_t count, const int wide) {
  for (int64_t at = first; at < first + POSITIONS_AT_ONCE && at < count; at++)
    for (int64_t d = 0; d < a->head; d += wide ? 16 : 32) prefetch_cached(cache_row(a, a->keys, a->cells[at], wide), d, wide);
}

// Q queries, of which query i sees the first count - Q + 1 + i positions. q: [Q][head], already scaled. out: [Q][head].
// scores: [Q][stride], stride at least count rounded up to 16.
INLINE void attend_queries(const attended *a, const float *q, int64_t count, float *scores, int64_t stride, float *out, const int Q, const int wide) {
  for (int64_t first = 0; first < count; first += POSITIONS_AT_ONCE) {
    prefetch_keys(a, first + POSITIONS_AT_ONCE, count, wide);
    score_positions(a, first, count, q, scores, stride, Q, wide);
  }
  float inverse[QUERIES];
  UNROLL for (int i = 0; i < Q; i++) {
    float *s = scores + i * stride;
    const int64_t seen = count - Q + 1 + i, padded = (count + 15) / 16 * 16;
    for (int64_t at = seen; at < padded; at++) s[at] = -__builtin_inff();
    v16 max = v_load(s), sum = v_set(0);
    for (int64_t at = 16; at < padded; at += 16) max = v_max(max, v_load(s + at));
    const v16 highest = v_set(v_max_of(max));
    for (int64_t at = 0; at < padded; at += 16) v_store(s + at, v_exp(v_sub(v_load(s + at), highest)));
    for (int64_t at = seen; at < padded; at++) s[at] = 0;
    for (int64_t at = 0; at < padded; at += 16) sum = v_add(sum, v_load(s + at));
    inverse[i] = 1.f / v_sum(sum);
  }
  // Dimensions in registers at once: 16 vectors over all queries.
  const int V = Q >= 8 ? 2 : Q >= 4 ? 4 : 8;
  for (int64_t d = 0; d < a->head; d += 16 * V) {
    const int64_t left = (a->head - d) / 16, n = left < V ? left : V;
    v16 sum[16];
    UNROLL for (int i = 0; i < Q * V; i++) sum[i] = v_set(0);
    for (int64_t at = 0; at < count; at++) {
      const uint8_t *row = cache_row(a, a->values, a->cells[at], wide);
      const int64_t ahead = at + POSITIONS_AT_ONCE < count ? at + POSITIONS_AT_ONCE : count - 1;
      UNROLL for (int v = 0; v < V; v += wide ? 1 : 2) prefetch_cached(cache_row(a, a->values, a->cells[ahead], wide), d + 16 * v, wide);
      UNROLL for (int v = 0; v < V; v++) {
        if (v >= n) break;
        const v16 value = load_cached(row, d + 16 * v, wide);
        UNROLL for (int i = 0; i < Q; i++) sum[i * V + v] = v_fma(v_set(scores[i * stride + at]), value, sum[i * V + v]);
      }
    }
    UNROLL for (int i = 0; i < Q; i++)
      for (int v = 0; v < n; v++) v_store(out + i * a->head + d + 16 * v, v_mul(sum[i * V + v], v_set(inverse[i])));
  }
}

#define ATTEND(Q) wide ? attend_queries(a, q + i * a->head, seen, scores, stride, out + i * a->head, Q, 1) \
                       : attend_queries(a, q + i * a->head, seen, scores, stride, out + i * a->head, Q, 0)

// Up to QUERIES queries, in pieces whose width does not change a bit of any result.
static void attend(const attended *a, int wide, const float *q, int64_t queries, int64_t count, float *scores, int64_t stride, float *out) {
  for (int64_t i = 0; i < queries;) {
    const int64_t left = queries - i, width = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const int64_t seen = count - queries + i + width;
    if (width == 8) ATTEND(8);
    else if (width == 4) ATTEND(4);
    else if (width == 2) ATTEND(2);
    else ATTEND(1);
    i += width;
  }
}
