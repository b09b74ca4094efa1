// Tables of the products of one instruction set. The file that includes this has defined, for 1 to TILE_INT8 or TILE_F32
// rows of activations (C), tile_q4_0, tile_q8_0, tile_q4_K, tile_q5_K, tile_q6_K and tile_float.
//
// The order of operations, for one value of the result:
//   quantised   for blocks of 32 columns in order (q6_K: for runs of 16): sum = fma(scale of the weights * scale of the
//               activations, float(exact integer dot product), sum)
//               q4_K and q5_K: then sum = fma(minimum / 8 * scale of the activations, float(their start), sum)
//   otherwise   for units of 64 columns in order: sum = sum + (even columns + odd columns), each a chain of fma
// It has one accumulator and does not depend on the tile, on the thread or on the instruction set. So a value has the
// same bits whatever else is computed with it.
#pragma once

typedef void (*tile_function)(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags);

#define TILE_FUNCTIONS(C) \
  static void q4_0_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_q4_0(w, x, n, o, s, f, C); } \
  static void q8_0_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_q8_0(w, x, n, o, s, f, C); } \
  static void q4_K_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_q4_K(w, x, n, o, s, f, C); } \
  static void q5_K_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_q5_K(w, x, n, o, s, f, C); } \
  static void q6_K_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_q6_K(w, x, n, o, s, f, C); }
#define FLOAT_TILE_FUNCTIONS(C) \
  static void f32_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_float(w, x, n, o, s, f, F32, C); } \
  static void f16_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_float(w, x, n, o, s, f, F16, C); } \
  static void bf16_##C(const uint8_t *w, const uint8_t *x, int64_t n, float *o, int64_t s, int f) { tile_float(w, x, n, o, s, f, BF16, C); }

#ifdef TILES_OF_16
#define EACH_INT8(F) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) F(16)
#define EACH_FLOAT(F) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8)
#else
#define EACH_INT8(F) F(1) F(2) F(3) F(4)
#define EACH_FLOAT(F) F(1) F(2) F(3) F(4)
#endif

EACH_INT8(TILE_FUNCTIONS)
EACH_FLOAT(FLOAT_TILE_FUNCTIONS)

// A switch instead of a table of addresses: a table would need relocations, which a library loads more slowly.
static void multiply_tile(int64_t type, int C, const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags) {
#define INT8_CASE(C) \
  case C: \
    type == Q4_0 ? q4_0_##C(w, x, units, out, stride, flags) : type == Q8_0 ? q8_0_##C(w, x, units, out, stride, flags) \
    : type == Q4_K ? q4_K_##C(w, x, units, out, stride, flags) : type == Q5_K ? q5_K_##C(w, x, units, out, stride, flags) \
    : q6_K_##C(w, x, units, out, stride, flags); \
    return;
#define FLOAT_CASE(C) case C: type == F32 ? f32_##C(w, x, units, out, stride, flags) : type == F16 ? f16_##C(w, x, units, out, stride, flags) : bf16_##C(w, x, units, out, stride, flags); return;
  if (is_quantised(type)) switch (C) { EACH_INT8(INT8_CASE) }
  else switch (C) { EACH_FLOAT(FLOAT_CASE) }
}
