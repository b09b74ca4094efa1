// Products of packed weights and activations, on AVX2 (Haswell, Zen 1 and later). Same packing, same bits as
// products_avx512.h: 16 rows are two halves of eight.
//
// AVX2 multiplies bytes into 16-bit sums of two products (vpmaddubsw), which must not overflow:
//   q4_0   0..15 times -127..127: a whole block of 32 fits, 8 * 2 * 15 * 127 = 30,480
//   q4_K   as q4_0; q5_K: 0..31, half a block fits, 4 * 2 * 31 * 127 = 31,496
//   q6_K   -32..31 by magnitude and sign: a run of 16 fits, 4 * 2 * 32 * 127 = 32,512
//   q8_0   by magnitude and sign: one instruction fits, 2 * 128 * 127 = 32,512
#pragma once
#include "format.h"
#include "simd_avx2.h"

enum { TILE_INT8 = 4, TILE_F32 = 4 };
enum { PREFETCH_BYTES = 9216 };

#define PREFETCH(w, bytes) \
  UNROLL for (int line_ = 0; line_ < (bytes) / 64; line_++) v_prefetch((w) + PREFETCH_BYTES + 64 * line_)

INLINE __m256i broadcast(const void *p) { return _mm256_set1_epi32(*(const int32_t *)p); }
INLINE __m256 eight_f16(const uint8_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
INLINE __m256i to_32_bits(__m256i sums16) { return _mm256_madd_epi16(sums16, _mm256_set1_epi16(1)); }
INLINE __m256 one_scale(const uint8_t *x, int c, const int C) { return _mm256_broadcast_ss((const float *)(x + C * 32) + c); }

// Nibbles of rows 8 * half on.
INLINE void unpack_nibbles(const uint8_t *q, int half, __m256i w[8]) {
  const __m256i mask = _mm256_set1_epi8(15);
  UNROLL for (int j = 0; j < 4; j++) {
    const __m256i v = _mm256_load_si256((const __m256i *)(q + 64 * j + 32 * half));
    w[j] = _mm256_and_si256(v, mask);
    w[j + 4] = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask);
  }
}

// sum[h] += the products of low[h] with the four bytes at `first` and of high[h] with those at `second`, in 16 bits.
// Written as instructions, because compilers otherwise broadcast for many columns ahead and spill the sums.
INLINE void add_products(__m256i *sum0, __m256i *sum1, const __m256i low[2], const __m256i high[2], const uint8_t *first, const uint8_t *second) {
  __m256i x, product;
  __asm__("vpbroadcastd %[first], %[x]\n"
          "vpmaddubsw %[x], %[low0], %[product]\n"
          "vpaddw %[product], %[sum0], %[sum0]\n"
          "vpmaddubsw %[x], %[low1], %[product]\n"
          "vpaddw %[product], %[sum1], %[sum1]\n"
          "vpbroadcastd %[second], %[x]\n"
          "vpmaddubsw %[x], %[high0], %[product]\n"
          "vpaddw %[product], %[sum0], %[sum0]\n"
          "vpmaddubsw %[x], %[high1], %[product]\n"
          "vpaddw %[product], %[sum1], %[sum1]\n"
          : [sum0] "+x"(*sum0), [sum1] "+x"(*sum1), [x] "=&x"(x), [product] "=&x"(product)
          : [low0] "x"(low[0]), [low1] "x"(low[1]), [high0] "x"(high[0]), [high1] "x"(high[1]),
            [first] "m"(*(const int32_t *)first), [second] "m"(*(const int32_t *)second));
}

// Dot products of a block of nibbles, for both halves. Twelve registers hold the sums of four columns and a quarter of
// the weights: the loop stays a loop, so that no more weights are unpacked at once.
INLINE void dot_nibbles(const uint8_t *q, const uint8_t *x, __m256i sum[2][TILE_INT8], const int C) {
  const __m256i mask = _mm256_set1_epi8(15);
  UNROLL for (int c = 0; c < C; c++) sum[0][c] = sum[1][c] = _mm256_setzero_si256();
  NO_UNROLL for (int j = 0; j < 4; j++) {
    __m256i low[2], high[2];
    UNROLL for (int h = 0; h < 2; h++) {
      const __m256i v = _mm256_load_si256((const __m256i *)(q + 64 * j + 32 * h));
      low[h] = _mm256_and_si256(v, mask);
      high[h] = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask);
    }
    UNROLL for (int c = 0; c < C; c++)
      add_products(&sum[0][c], &sum[1][c], low, high, x + 32 * c + 4 * j, x + 32 * c + 4 * j + 16);
  }
}

INLINE void block_q4_0(const uint8_t *w, int b, const uint8_t *x, float *acc, const int C) {
  __m256i sum[2][TILE_INT8];
  dot_nibbles(w + 64 + 256 * b, x, sum, C);
  const __m256 scale[2] = {eight_f16(w + 32 * b), eight_f16(w + 32 * b + 16)};
  UNROLL for (int c = 0; c < C; c++) {
    const __m256i start = broadcast(x + C * 36 + 4 * c);
    const __m256 of_x = one_scale(x, c, C);
    UNROLL for (int h = 0; h < 2; h++) {
      const __m256 whole = _mm256_cvtepi32_ps(_mm256_add_epi32(to_32_bits(sum[h][c]), start)), before = _mm256_load_ps(acc + 16 * c + 8 * h);
      _mm256_store_ps(acc + 16 * c + 8 * h, _mm256_fmadd_ps(_mm256_mul_ps(scale[h], of_x), whole, before));
    }
  }
}

INLINE void block_q8_0(const uint8_t *w, int b, int half, const uint8_t *x, __m256 *acc, const int C) {
  const __m256i flip = _mm256_set1_epi8((char)0x80);
  const __m256 scale = eight_f16(w + 32 * b + 16 * half);
  __m256i sum[TILE_INT8];
  UNROLL for (int c = 0; c < C; c++) sum[c] = _mm256_setzero_si256();
  UNROLL for (int j = 0; j < 8; j++) {
    const __m256i q = _mm256_xor_si256(_mm256_load_si256((const __m256i *)(w + 64 + 512 * b + 64 * j + 32 * half)), flip);
    const __m256i magnitude = _mm256_abs_epi8(q);
    UNROLL for (int c = 0; c < C; c++)
      sum[c] = _mm256_add_epi32(sum[c], to_32_bits(_mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(broadcast(x + 32 * c + 4 * j), q))));
  }
  UNROLL for (int c = 0; c < C; c++)
    acc[c] = _mm256_fmadd_ps(_mm256_mul_ps(scale, one_scale(x, c, C)), _mm256_cvtepi32_ps(sum[c]), acc[c]);
}

INLINE void block_q6_K(const uint8_t *w, int b, int half, const uint8_t *x, __m256 *acc, const int C) {
  __m256i q[8];
  unpack_nibbles(w + 256 * b, half, q);
  const __m256i all32 = _mm256_set1_epi8(32);
  UNROLL for (int v = 0; v < 2; v++) {
    const __m256i top = _mm256_load_si256((const __m256i *)(w + 512 + 128 * b + 64 * v + 32 * half));
    q[4 * v] = _mm256_or_si256(q[4 * v], _mm256_slli_epi16(_mm256_and_si256(top, _mm256_set1_epi8(0x03)), 4));
    q[4 * v + 1] = _mm256_or_si256(q[4 * v + 1], _mm256_slli_epi16(_mm256_and_si256(top, _mm256_set1_epi8(0x0c)), 2));
    q[4 * v + 2] = _mm256_or_si256(q[4 * v + 2], _mm256_and_si256(top, _mm256_set1_epi8(0x30)));
    q[4 * v + 3] = _mm256_or_si256(q[4 * v + 3], _mm256_and_si256(_mm256_srli_epi16(top, 2), _mm256_set1_epi8(0x30)));
  }
  UNROLL for (int j = 0; j < 8; j++) q[j] = _mm256_sub_epi8(q[j], all32);
  const __m256 d = eight_f16(w + 832 + 16 * half);
  UNROLL for (int run = 0; run < 2; run++) {
    const __m128i s = _mm_loadl_epi64((const __m128i *)(w + 768 + 16 * (2 * b + run) + 8 * half));
    const __m256 scale = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(s)));
    UNROLL for (int c = 0; c < C; c++) {
      __m256i sum = _mm256_setzero_si256();
      UNROLL for (int j = 4 * run; j < 4 * run + 4; j++)
        sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(_mm256_abs_epi8(q[j]), _mm256_sign_epi8(broadcast(x + 32 * c + 4 * j), q[j])));
      acc[c] = _mm256_fmadd_ps(_mm256_mul_ps(scale, one_scale(x, c, C)), _mm256_cvtepi32_ps(to_32_bits(sum)), acc[c]);
    }
  }
}

INLINE __m256 eight_bytes(const uint8_t *p) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p))); }

// Unsigned weights with a scale and a minimum, of which d and dmin have a multiple.
INLINE __m256 scale_of_block(const uint8_t *w, int b, int half) {
  return _mm256_mul_ps(eight_f16(w + 576 + 16 * half), eight_bytes(w + 512 + 16 * b + 8 * half));
}
INLINE __m256 minimum_of_block(const uint8_t *w, int b, int half) {
  const __m256 eighth = _mm256_mul_ps(eight_f16(w + 608 + 16 * half), _mm256_set1_ps(0.125f));
  return _mm256_mul_ps(eighth, eight_bytes(w + 544 + 16 * b + 8 * half));
}

INLINE void block_q4_K(const uint8_t *w, int b, const uint8_t *x, float *acc, const int C) {
  __m256i sum[2][TILE_INT8];
  dot_nibbles(w + 256 * b, x, sum, C);
  UNROLL for (int h = 0; h < 2; h++) {
    const __m256 scale = scale_of_block(w, b, h), minimum = minimum_of_block(w, b, h);
    UNROLL for (int c = 0; c < C; c++) {
      const __m256 of_x = one_scale(x, c, C), start = _mm256_cvtepi32_ps(broadcast(x + C * 36 + 4 * c));
      const __m256 whole = _mm256_cvtepi32_ps(to_32_bits(sum[h][c]));
      const __m256 added = _mm256_fmadd_ps(_mm256_mul_ps(scale, of_x), whole, _mm256_load_ps(acc + 16 * c + 8 * h));
      _mm256_store_ps(acc + 16 * c + 8 * h, _mm256_fmadd_ps(_mm256_mul_ps(minimum, of_x), start, added));
    }
  }
}

INLINE void block_q5_K(const uint8_t *w, int b, int half, const uint8_t *x, __m256 *acc, const int C) {
  __m256i q[8];
  unpack_nibbles(w + 256 * b, half, q);
  const __m256i top = _mm256_load_si256((const __m256i *)(w + 640 + 64 * b + 32 * half)), bit = _mm256_set1_epi8(16);
  UNROLL for (int j = 0; j < 4; j++) q[j] = _mm256_or_si256(q[j], _mm256_and_si256(_mm256_slli_epi16(top, 4 - j), bit));
  UNROLL for (int j = 4; j < 8; j++) q[j] = _mm256_or_si256(q[j], _mm256_and_si256(_mm256_srli_epi16(top, j - 4), bit));
  const __m256 scale = scale_of_block(w, b, half), minimum = minimum_of_block(w, b, half);
  UNROLL for (int c = 0; c < C; c++) {
    const uint8_t *p = x + 32 * c;
    __m256i even = _mm256_maddubs_epi16(q[0], broadcast(p)), odd = _mm256_maddubs_epi16(q[1], broadcast(p + 4));
    UNROLL for (int j = 2; j < 8; j += 2) {
      even = _mm256_add_epi16(even, _mm256_maddubs_epi16(q[j], broadcast(p + 4 * j)));
      odd = _mm256_add_epi16(odd, _mm256_maddubs_epi16(q[j + 1], broadcast(p + 4 * j + 4)));
    }
    const __m256i sum = _mm256_add_epi32(to_32_bits(even), to_32_bits(odd));
    const __m256 of_x = one_scale(x, c, C), start = _mm256_cvtepi32_ps(broadcast(x + C * 36 + 4 * c));
    const __m256 added = _mm256_fmadd_ps(_mm256_mul_ps(scale, of_x), _mm256_cvtepi32_ps(sum), acc[c]);
    acc[c] = _mm256_fmadd_ps(_mm256_mul_ps(minimum, of_x), start, added);
  }
}

// Both halves at once, with the results of the tile in the first cache: the registers are for the sums of a block.
#define TILE_OF_NIBBLES(name, block, unit) \
  INLINE void name(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags, const int C) { \
    _Alignas(32) float acc[16 * TILE_INT8]; \
    UNROLL for (int i = 0; i < 2 * C; i++) \
      _mm256_store_ps(acc + 8 * i, flags & GOES_ON ? _mm256_loadu_ps(out + i / 2 * stride + i % 2 * 8) : _mm256_setzero_ps()); \
    for (; units > 0; units--, w += unit) { \
      if (flags & FROM_MEMORY) PREFETCH(w, unit); \
      NO_UNROLL for (int b = 0; b < 2; b++, x += C * INT8_BLOCK_BYTES) block(w, b, x, acc, C); \
    } \
    UNROLL for (int i = 0; i < 2 * C; i++) _mm256_storeu_ps(out + i / 2 * stride + i % 2 * 8, _mm256_load_ps(acc + 8 * i)); \
  }
TILE_OF_NIBBLES(tile_q4_0, block_q4_0, Q4_0_UNIT)
TILE_OF_NIBBLES(tile_q4_K, block_q4_K, Q4_K_UNIT)

// Both halves at once for one or two rows of activations, which are bound by memory; otherwise one half after the other,
// as sixteen registers hold no more.
#define TILE(name, block, unit) \
  INLINE void name(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags, const int C) { \
    const int halves = C <= 2 ? 2 : 1; \
    for (int first = 0; first < 2; first += halves) { \
      __m256 acc[2][TILE_INT8]; \
      UNROLL for (int h = 0; h < halves; h++) UNROLL for (int c = 0; c < C; c++) \
        acc[h][c] = flags & GOES_ON ? _mm256_loadu_ps(out + c * stride + 8 * (first + h)) : _mm256_setzero_ps(); \
      const uint8_t *p = w, *y = x; \
      for (int64_t u = 0; u < units; u++, p += unit) { \
        if (flags & FROM_MEMORY && first == 0) PREFETCH(p, unit); \
        UNROLL for (int b = 0; b < 2; b++, y += C * INT8_BLOCK_BYTES) \
          UNROLL for (int h = 0; h < halves; h++) block(p, b, first + h, y, acc[h], C); \
      } \
      UNROLL for (int h = 0; h < halves; h++) UNROLL for (int c = 0; c < C; c++) \
        _mm256_storeu_ps(out + c * stride + 8 * (first + h), acc[h][c]); \
    } \
  }
TILE(tile_q8_0, block_q8_0, Q8_0_UNIT)
TILE(tile_q5_K, block_q5_K, Q5_K_UNIT)
TILE(tile_q6_K, block_q6_K, Q6_K_UNIT)

INLINE __m256 load_weights(const uint8_t *w, const int64_t type, const int column, const int half) {
  const int at = 16 * column + 8 * half;
  if (type == F32) return _mm256_loadu_ps((const float *)w + at);
  return type == F16 ? eight_f16(w + 2 * at) : eight_bf16((const uint16_t *)w + at);
}

INLINE void tile_float(const uint8_t *w, const uint8_t *x_, int64_t units, float *out, int64_t stride, int flags, const int64_t type, const int C) {
  const float *x = (const float *)x_;
  const int bytes = type == F32 ? F32_UNIT : HALF_UNIT;
  int goes_on = flags & GOES_ON;
  for (; units > 0; units--, w += bytes, x += C * 64, goes_on = 1)
    for (int half = 0; half < 2; half++) {
      __m256 even[TILE_F32], odd[TILE_F32];
      UNROLL for (int c = 0; c < C; c++) even[c] = odd[c] = _mm256_setzero_ps();
      for (int k = 0; k < 64; k += 2) {
        if (flags & FROM_MEMORY && half == 0) UNROLL for (int line = 0; line < bytes / 2048; line++) v_prefetch(w + PREFETCH_BYTES + k * bytes / 64 + 64 * line);
        const __m256 a = load_weights(w, type, k, half), b = load_weights(w, type, k + 1, half);
        UNROLL for (int c = 0; c < C; c++) {
          even[c] = _mm256_fmadd_ps(a, _mm256_broadcast_ss(x + c * 64 + k), even[c]);
          odd[c] = _mm256_fmadd_ps(b, _mm256_broadcast_ss(x + c * 64 + k + 1), odd[c]);
        }
      }
      UNROLL for (int c = 0; c < C; c++) {
        float *to = out + c * stride + 8 * half;
        const __m256 sum = _mm256_add_ps(even[c], odd[c]);
        _mm256_storeu_ps(to, goes_on ? _mm256_add_ps(_mm256_loadu_ps(to), sum) : sum);
      }
    }
}
