// Adapters (LoRA): what they add to the products of one row, in float32 whatever the type of the weights.
//
//   lowered = scale * (down x)     one value a rank, of all adapters of the sequence behind one another
//   W x += up lowered
//
// A row is computed by itself, in an order that depends on its own adapters alone, so its bits do not depend on the rows
// beside it. The order: of `down`, four sums over every fourth column, each a chain of fma, then ((0 + 1) + (2 + 3)) *
// scale; of `up`, a chain of fma that goes on from W x, adapter after adapter, rank after rank.
#pragma once
#include "functions.h"

static inline int64_t rounded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// `columns`: a multiple of 64.
static void lower(const sequence *s, int64_t layer, int target, const float *x, int64_t columns, float *lowered) {
  for (int64_t i = 0; i < s->adapters; i++) {
    const low_rank *l = &s->adapter[i].layer[layer].target[target];
    const v16 scale = v_set((float)s->adapter[i].scale);
    const float *down = l->down;
    for (int64_t rank = 0; rank < l->rank; rank += 16, lowered += 16) {
      v16 sum[4];
      UNROLL for (int j = 0; j < 4; j++) sum[j] = v_set(0);
      for (int64_t c = 0; c < columns; c += 4, down += 64) {
        UNROLL for (int j = 0; j < 4; j++) sum[j] = v_fma(v_set(x[c + j]), v_load(down + 16 * j), sum[j]);
      }
      v_store(lowered, v_mul(v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3])), scale));
    }
  }
}

// out[0..16 * groups) += groups `first` to `first + groups - 1` of up times lowered.
static void raise(const sequence *s, int64_t layer, int target, const float *lowered, int64_t first, int64_t groups, float *out) {
  for (int64_t i = 0; i < s->adapters; i++) {
    const low_rank *l = &s->adapter[i].layer[layer].target[target];
    if (l->rank == 0) continue;
    const float *up = l->up + first * l->rank * ROWS_OF_GROUP;
    // Four chains at a time, so that the processor has others to go on with. Groups are a multiple of 4.
    for (int64_t g = 0; g < groups; g += 4) {
      v16 sum[4];
      UNROLL for (int j = 0; j < 4; j++) sum[j] = v_load(out + (g + j) * ROWS_OF_GROUP);
      for (int64_t k = 0; k < l->rank; k++) {
        const v16 x = v_set(lowered[k]);
        UNROLL for (int j = 0; j < 4; j++) sum[j] = v_fma(x, v_load(up + ((g + j) * l->rank + k) * ROWS_OF_GROUP), sum[j]);
      }
      UNROLL for (int j = 0; j < 4; j++) v_store(out + (g + j) * ROWS_OF_GROUP, sum[j]);
    }
    lowered += rounded(l->rank, 16);
  }
}
