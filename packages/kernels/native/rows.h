// Rows of weights as a GGUF file has them (ggml-common.h of llama.cpp v0.5.0), to numbers.
#pragma once
#include "abi.h"

enum { Q4_0_BLOCK = 18, Q8_0_BLOCK = 34, Q6_K_BLOCK = 210, Q6_K_WEIGHTS = 256 };

static inline uint16_t half_at(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline float f32_of_bits(uint32_t bits) {
  union { uint32_t bits; float value; } u = {bits};
  return u.value;
}

static inline float f16_value(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
  if (exponent == 31) return f32_of_bits(sign | 0x7f800000 | fraction << 13);
  if (exponent > 0) return f32_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
  // A subnormal number: fraction * 2^-24, exact in float32.
  const float value = (float)fraction * 5.9604644775390625e-8f;
  return sign ? -value : value;
}

// Weight `at` of a block of q6_K, 0 to 63, and its scale.
static inline uint8_t q6_K_weight(const uint8_t *block, int at) {
  const int half = at / 128, run = at % 128 / 32, l = at % 32;
  const uint8_t low = block[64 * half + 32 * (run & 1) + l], top = block[128 + 32 * half + l];
  return (uint8_t)((run >= 2 ? low >> 4 : low & 15) | (top >> 2 * run & 3) << 4);
}
static inline int8_t q6_K_scale(const uint8_t *block, int at) { return (int8_t)block[192 + at / 16]; }
static inline uint16_t q6_K_d(const uint8_t *block) { return half_at(block + 208); }

// One row of the embedding.
static inline void unpack_row(float *x, const uint8_t *row, int64_t type, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    switch (type) {
      case F32: x[i] = f32_of_bits((uint32_t)half_at(row + 4 * i) | (uint32_t)half_at(row + 4 * i + 2) << 16); break;
      case F16: x[i] = f16_value(half_at(row + 2 * i)); break;
      case BF16: x[i] = f32_of_bits((uint32_t)half_at(row + 2 * i) << 16); break;
      case Q8_0: {
        const uint8_t *b = row + i / 32 * Q8_0_BLOCK;
        x[i] = f16_value(half_at(b)) * (float)(int8_t)b[2 + i % 32];
        break;
      }
      case Q4_0: {
        const uint8_t *b = row + i / 32 * Q4_0_BLOCK, q = b[2 + i % 16];
        x[i] = f16_value(half_at(b)) * (float)((i % 32 < 16 ? q & 15 : q >> 4) - 8);
        break;
      }
      default: {
        const uint8_t *b = row + i / Q6_K_WEIGHTS * Q6_K_BLOCK;
        const int at = (int)(i % Q6_K_WEIGHTS);
        x[i] = f16_value(q6_K_d(b)) * (float)q6_K_scale(b, at) * (float)((int)q6_K_weight(b, at) - 32);
      }
    }
  }
}
