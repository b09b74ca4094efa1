// Products of packed weights and activations, on NEON with dot products (Armv8.2; every Apple M, Graviton 2 and later).
// Same packing, same bits as products_avx512.h: 16 rows are four quarters of four.
//
// The instruction sdot by lane adds, for four rows, four columns of bytes times four activations of one lane, so a block
// of 32 columns is 8 instructions and 2 loads of activations. Both operands are signed: q8_0 and q6_K need no offset.
#pragma once
#include "format.h"
#include "simd_neon.h"

// Sixteen accumulators, eight registers of weights, four integer sums and two of activations: 30 of 32 registers.
enum { TILE_INT8 = 4, TILE_F32 = 4 };
enum { PREFETCH_BYTES = 9216 };

#define PREFETCH(w, bytes) \
  UNROLL for (int line_ = 0; line_ < (bytes) / 64; line_++) v_prefetch((w) + PREFETCH_BYTES + 64 * line_)

INLINE float32x4_t four_scales(const uint8_t *w, int quarter) { return four_f16((const uint16_t *)w + 4 * quarter); }
INLINE float32x4_t one_scale(const uint8_t *x, int c, const int C) { return vld1q_dup_f32((const float *)(x + C * 32) + c); }

// Nibbles of rows 4 * quarter on.
INLINE void unpack_nibbles(const uint8_t *q, int quarter, uint8x16_t w[8]) {
  UNROLL for (int j = 0; j < 4; j++) {
    const uint8x16_t v = vld1q_u8(q + 64 * j + 16 * quarter);
    w[j] = vandq_u8(v, vdupq_n_u8(15));
    w[j + 4] = vshrq_n_u8(v, 4);
  }
}

// sum + the products of 16 columns: w has four columns a register.
INLINE int32x4_t dot16(int32x4_t sum, const int8x16_t w[4], const uint8_t *p) {
  const int8x16_t x = vld1q_s8((const int8_t *)p);
  sum = vdotq_laneq_s32(sum, w[0], x, 0);
  sum = vdotq_laneq_s32(sum, w[1], x, 1);
  sum = vdotq_laneq_s32(sum, w[2], x, 2);
  return vdotq_laneq_s32(sum, w[3], x, 3);
}

// acc + scale of the weights * scale of the activations * sum.
INLINE float32x4_t add_scaled(float32x4_t acc, float32x4_t scale, int32x4_t sum, const uint8_t *x, int c, const int C) {
  return vfmaq_f32(acc, vmulq_f32(scale, one_scale(x, c, C)), vcvtq_f32_s32(sum));
}

INLINE void block_q4_0(const uint8_t *w, int b, int quarter, const uint8_t *x, float32x4_t *acc, const int C) {
  uint8x16_t nibbles[8];
  int8x16_t q[8];
  unpack_nibbles(w + 64 + 256 * b, quarter, nibbles);
  UNROLL for (int j = 0; j < 8; j++) q[j] = vreinterpretq_s8_u8(nibbles[j]);
  const float32x4_t scale = four_scales(w + 32 * b, quarter);
  UNROLL for (int c = 0; c < C; c++) {
    const int32x4_t start = vld1q_dup_s32((const int32_t *)(x + C * 36) + c);
    acc[c] = add_scaled(acc[c], scale, dot16(dot16(start, q, x + 32 * c), q + 4, x + 32 * c + 16), x, c, C);
  }
}

INLINE void block_q8_0(const uint8_t *w, int b, int quarter, const uint8_t *x, float32x4_t *acc, const int C) {
  int8x16_t q[8];
  UNROLL for (int j = 0; j < 8; j++) {
    const uint8x16_t v = vld1q_u8(w + 64 + 512 * b + 64 * j + 16 * quarter);
    q[j] = vreinterpretq_s8_u8(veorq_u8(v, vdupq_n_u8(0x80)));
  }
  const float32x4_t scale = four_scales(w + 32 * b, quarter);
  UNROLL for (int c = 0; c < C; c++)
    acc[c] = add_scaled(acc[c], scale, dot16(dot16(vdupq_n_s32(0), q, x + 32 * c), q + 4, x + 32 * c + 16), x, c, C);
}

INLINE void block_q6_K(const uint8_t *w, int b, int quarter, const uint8_t *x, float32x4_t *acc, const int C) {
  uint8x16_t low[8];
  int8x16_t q[8];
  unpack_nibbles(w + 256 * b, quarter, low);
  UNROLL for (int v = 0; v < 2; v++) {
    const uint8x16_t top = vld1q_u8(w + 512 + 128 * b + 64 * v + 16 * quarter), mask = vdupq_n_u8(0x30);
    low[4 * v] = vorrq_u8(low[4 * v], vandq_u8(vshlq_n_u8(top, 4), mask));
    low[4 * v + 1] = vorrq_u8(low[4 * v + 1], vandq_u8(vshlq_n_u8(top, 2), mask));
    low[4 * v + 2] = vorrq_u8(low[4 * v + 2], vandq_u8(top, mask));
    low[4 * v + 3] = vorrq_u8(low[4 * v + 3], vandq_u8(vshrq_n_u8(top, 2), mask));
  }
  UNROLL for (int j = 0; j < 8; j++) q[j] = vsubq_s8(vreinterpretq_s8_u8(low[j]), vdupq_n_s8(32));
  const float32x4_t d = four_scales(w + 832, quarter);
  UNROLL for (int run = 0; run < 2; run++) {
    // Four int8 scales, by way of a register of 32 bits: a load of eight would pass the end of the last four.
    const int32x2_t four = vld1_dup_s32((const int32_t *)(w + 768 + 16 * (2 * b + run) + 4 * quarter));
    const int16x4_t s = vget_low_s16(vmovl_s8(vreinterpret_s8_s32(four)));
    const float32x4_t scale = vmulq_f32(d, vcvtq_f32_s32(vmovl_s16(s)));
    UNROLL for (int c = 0; c < C; c++)
      acc[c] = add_scaled(acc[c], scale, dot16(vdupq_n_s32(0), q + 4 * run, x + 32 * c + 16 * run), x, c, C);
  }
}

INLINE float32x4_t four_bytes(const uint8_t *p) {
  const uint32x2_t four = vld1_dup_u32((const uint32_t *)p);
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(four)))));
}

// Unsigned weights with a scale and a minimum, of which d and dmin have a multiple.
INLINE void block_with_minimum(const uint8_t *w, int b, int quarter, const uint8_t *x, float32x4_t *acc, const int64_t type, const int C) {
  uint8x16_t low[8];
  int8x16_t q[8];
  unpack_nibbles(w + 256 * b, quarter, low);
  if (type == Q5_K) {
    const uint8x16_t top = vld1q_u8(w + 640 + 64 * b + 16 * quarter), bit = vdupq_n_u8(16);
    low[0] = vorrq_u8(low[0], vandq_u8(vshlq_n_u8(top, 4), bit));
    low[1] = vorrq_u8(low[1], vandq_u8(vshlq_n_u8(top, 3), bit));
    low[2] = vorrq_u8(low[2], vandq_u8(vshlq_n_u8(top, 2), bit));
    low[3] = vorrq_u8(low[3], vandq_u8(vshlq_n_u8(top, 1), bit));
    low[4] = vorrq_u8(low[4], vandq_u8(top, bit));
    low[5] = vorrq_u8(low[5], vandq_u8(vshrq_n_u8(top, 1), bit));
    low[6] = vorrq_u8(low[6], vandq_u8(vshrq_n_u8(top, 2), bit));
    low[7] = vorrq_u8(low[7], vandq_u8(vshrq_n_u8(top, 3), bit));
  }
  UNROLL for (int j = 0; j < 8; j++) q[j] = vreinterpretq_s8_u8(low[j]);
  const float32x4_t scale = vmulq_f32(four_scales(w + 576, quarter), four_bytes(w + 512 + 16 * b + 4 * quarter));
  const float32x4_t eighth = vmulq_f32(four_scales(w + 608, quarter), vdupq_n_f32(0.125f));
  const float32x4_t minimum = vmulq_f32(eighth, four_bytes(w + 544 + 16 * b + 4 * quarter));
  UNROLL for (int c = 0; c < C; c++) {
    const int32x4_t start = vld1q_dup_s32((const int32_t *)(x + C * 36) + c);
    acc[c] = add_scaled(acc[c], scale, dot16(dot16(vdupq_n_s32(0), q, x + 32 * c), q + 4, x + 32 * c + 16), x, c, C);
    acc[c] = add_scaled(acc[c], minimum, start, x, c, C);
  }
}
INLINE void block_q4_K(const uint8_t *w, int b, int quarter, const uint8_t *x, float32x4_t *acc, const int C) { block_with_minimum(w, b, quarter, x, acc, Q4_K, C); }
INLINE void block_q5_K(const uint8_t *w, int b, int quarter, const uint8_t *x, float32x4_t *acc, const int C) { block_with_minimum(w, b, quarter, x, acc, Q5_K, C); }

#define TILE(name, block, unit) \
  INLINE void name(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags, const int C) { \
    float32x4_t acc[4][TILE_INT8]; \
    UNROLL for (int r = 0; r < 4; r++) UNROLL for (int c = 0; c < C; c++) \
      acc[r][c] = flags & GOES_ON ? vld1q_f32(out + c * stride + 4 * r) : vdupq_n_f32(0); \
    for (; units > 0; units--, w += unit) { \
      if (flags & FROM_MEMORY) PREFETCH(w, unit); \
      UNROLL for (int b = 0; b < 2; b++, x += C * INT8_BLOCK_BYTES) \
        UNROLL for (int r = 0; r < 4; r++) block(w, b, r, x, acc[r], C); \
    } \
    UNROLL for (int r = 0; r < 4; r++) UNROLL for (int c = 0; c < C; c++) vst1q_f32(out + c * stride + 4 * r, acc[r][c]); \
  }
TILE(tile_q4_0, block_q4_0, Q4_0_UNIT)
TILE(tile_q8_0, block_q8_0, Q8_0_UNIT)
TILE(tile_q4_K, block_q4_K, Q4_K_UNIT)
TILE(tile_q5_K, block_q5_K, Q5_K_UNIT)
TILE(tile_q6_K, block_q6_K, Q6_K_UNIT)

INLINE float32x4_t load_weights(const uint8_t *w, const int64_t type, const int column, const int quarter) {
  const int at = 16 * column + 4 * quarter;
  if (type == F32) return vld1q_f32((const float *)w + at);
  return type == F16 ? four_f16((const uint16_t *)w + at) : four_bf16((const uint16_t *)w + at);
}

// Two quarters at once: even and odd sums of four rows of activations are 16 registers, of four quarters they are 32.
INLINE void tile_float(const uint8_t *w, const uint8_t *x_, int64_t units, float *out, int64_t stride, int flags, const int64_t type, const int C) {
  const float *x = (const float *)x_;
  const int bytes = type == F32 ? F32_UNIT : HALF_UNIT;
  int goes_on = flags & GOES_ON;
  for (; units > 0; units--, w += bytes, x += C * 64, goes_on = 1)
    for (int first = 0; first < 4; first += 2) {
      float32x4_t even[2][TILE_F32], odd[2][TILE_F32];
      UNROLL for (int r = 0; r < 2; r++) UNROLL for (int c = 0; c < C; c++) even[r][c] = odd[r][c] = vdupq_n_f32(0);
      for (int k = 0; k < 64; k += 2) {
        if (flags & FROM_MEMORY && first == 0) UNROLL for (int line = 0; line < bytes / 2048; line++) v_prefetch(w + PREFETCH_BYTES + k * bytes / 64 + 64 * line);
        UNROLL for (int r = 0; r < 2; r++) {
          const float32x4_t a = load_weights(w, type, k, first + r), b = load_weights(w, type, k + 1, first + r);
          UNROLL for (int c = 0; c < C; c++) {
            even[r][c] = vfmaq_n_f32(even[r][c], a, x[c * 64 + k]);
            odd[r][c] = vfmaq_n_f32(odd[r][c], b, x[c * 64 + k + 1]);
          }
        }
      }
      UNROLL for (int r = 0; r < 2; r++) UNROLL for (int c = 0; c < C; c++) {
        float *to = out + c * stride + 4 * (first + r);
        const float32x4_t sum = vaddq_f32(even[r][c], odd[r][c]);
        vst1q_f32(to, goes_on ? vaddq_f32(vld1q_f32(to), sum) : sum);
      }
    }
}
