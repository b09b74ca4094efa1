// The likeliest token of a row of logits.
#pragma once
#include "abi.h"

enum { BLOCK_OF_LOGITS = 256 };

// See gptj_argmax in library.c.
int64_t SET_NAME(argmax)(const float *logits, int64_t count) {
  float largest = -__builtin_inff();
  int64_t best = -1;
  for (int64_t from = 0; from < count; from += BLOCK_OF_LOGITS) {
    const int64_t to = from + BLOCK_OF_LOGITS < count ? from + BLOCK_OF_LOGITS : count;
    if (to - from == BLOCK_OF_LOGITS) {
      // A NaN is dropped on x86, which takes the second of two values then, and stays on arm64: the block is searched there.
      v16 m[4];
      UNROLL for (int i = 0; i < 4; i++) m[i] = v_set(largest);
      for (int at = 0; at < BLOCK_OF_LOGITS; at += 64) {
        UNROLL for (int i = 0; i < 4; i++) m[i] = v_max(v_load(logits + from + at + 16 * i), m[i]);
      }
      if (v_max_of(v_max(v_max(m[0], m[1]), v_max(m[2], m[3]))) <= largest) continue;
    }
    for (int64_t i = from; i < to; i++) {
      if (logits[i] > largest) {
        largest = logits[i];
        best = i;
      }
    }
  }
  return best;
}
