// Rows of weights as a GGUF file has them (ggml-common.h of llama.cpp v0.5.0), to numbers.
#pragma once
#include "abi.h"

enum { Q4_0_BLOCK = 18, Q8_0_BLOCK = 34, Q4_K_BLOCK = 144, Q5_K_BLOCK = 176, Q6_K_BLOCK = 210, K_WEIGHTS = 256 };

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

// Blocks of q4_K and q5_K: f16 scales of scales and of minima, 12 bytes with eight pairs of six bits, for q5_K 32 bytes of top
// bits, then nibbles: of each 64 weights the first 32 low, the others high.
static inline uint8_t k_scale(const uint8_t *block, int run) {
  const uint8_t *s = block + 4;
  return run < 4 ? s[run] & 63 : (uint8_t)((s[run + 4] & 15) | s[run - 4] >> 6 << 4);
}
static inline uint8_t k_minimum(const uint8_t *block, int run) {
  const uint8_t *s = block + 4;
  return run < 4 ? s[run + 4] & 63 : (uint8_t)(s[run + 4] >> 4 | s[run] >> 6 << 4);
}
// Weight `at` of a block, 0 to 15 or 31.
static inline uint8_t k_weight(const uint8_t *block, int64_t type, int at) {
  const int pair = at / 64, high = at % 64 / 32, l = at % 32;
  const uint8_t nibbles = block[(type == Q5_K ? 48 : 16) + 32 * pair + l], nibble = high ? nibbles >> 4 : nibbles & 15;
  return type == Q5_K ? (uint8_t)(nibble | (block[16 + l] >> (2 * pair + high) & 1) << 4) : nibble;
}

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
      case Q4_K:
      case Q5_K: {
        const uint8_t *b = row + i / K_WEIGHTS * (type == Q4_K ? Q4_K_BLOCK : Q5_K_BLOCK);
        const int at = (int)(i % K_WEIGHTS);
        const float scaled = f16_value(half_at(b)) * (float)k_scale(b, at / 32) * (float)k_weight(b, type, at);
        x[i] = scaled - f16_value(half_at(b + 2)) * (float)k_minimum(b, at / 32);
        break;
      }
      default: {
        const uint8_t *b = row + i / K_WEIGHTS * Q6_K_BLOCK;
        const int at = (int)(i % K_WEIGHTS);
        x[i] = f16_value(q6_K_d(b)) * (float)q6_K_scale(b, at) * (float)((int)q6_K_weight(b, at) - 32);
      }
    }
  }
}
