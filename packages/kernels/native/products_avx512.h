// Products of packed weights and activations, on AVX-512 with VNNI (Ice Lake, Zen 4 and later).
//
// A tile is 16 rows of the matrix times C rows of activations, in C registers. For every value of the result the order of
// operations is the same on every instruction set and in every tile: see the head of products.h.
#pragma once
#include "format.h"
#include "simd_avx512.h"

enum { TILE_INT8 = 16, TILE_F32 = 8 };
// How far ahead of a product its weights are fetched. Measured on Zen 4 and Zen 5: nearer or farther reads more slowly.
enum { PREFETCH_BYTES = 9216 };
// Columns whose integer sums are in registers at once; more leave too few registers for the unpacked weights.
enum { COLUMNS_AT_ONCE = 4 };

#define PREFETCH(w, bytes) \
  UNROLL for (int line_ = 0; line_ < (bytes) / 64; line_++) v_prefetch((w) + PREFETCH_BYTES + 64 * line_)

// sum + the four products of unsigned bytes of w and signed bytes at p, in each lane. Written as an instruction, because
// compilers otherwise load the broadcast operand into registers, of which there are none left.
INLINE __m512i dot4(__m512i sum, __m512i w, const void *p) {
  __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*(const int32_t *)p));
  return sum;
}
INLINE __m512i broadcast(const void *p) { return _mm512_set1_epi32(*(const int32_t *)p); }

// Add one block of 32 columns: acc[c] = fma(scale of row * scale of c, integer dot product, acc[c]).
INLINE void add_block(const __m512i w[8], __m512 scale, int start_shift, const uint8_t *x, __m512 *acc, const int C) {
  const float *scales = (const float *)(x + C * 32);
  const uint8_t *starts = x + C * 36;
  UNROLL for (int first = 0; first < C; first += COLUMNS_AT_ONCE) {
    __m512i sum[COLUMNS_AT_ONCE];
    const int n = C - first < COLUMNS_AT_ONCE ? C - first : COLUMNS_AT_ONCE;
    UNROLL for (int c = 0; c < n; c++) {
      sum[c] = broadcast(starts + 4 * (first + c));
      if (start_shift) sum[c] = _mm512_slli_epi32(sum[c], start_shift);
    }
    UNROLL for (int j = 0; j < 8; j++)
      UNROLL for (int c = 0; c < n; c++) sum[c] = dot4(sum[c], w[j], x + (first + c) * 32 + 4 * j);
    UNROLL for (int c = 0; c < n; c++)
      acc[first + c] = _mm512_fmadd_ps(_mm512_mul_ps(scale, _mm512_set1_ps(scales[first + c])), _mm512_cvtepi32_ps(sum[c]), acc[first + c]);
  }
}

// Nibbles of a block: w[0..3] from the low ones, w[4..7] from the high ones.
INLINE void unpack_nibbles(const uint8_t *q, __m512i w[8]) {
  const __m512i mask = _mm512_set1_epi8(15);
  UNROLL for (int j = 0; j < 4; j++) {
    const __m512i v = _mm512_load_si512(q + 64 * j);
    w[j] = _mm512_and_si512(v, mask);
    w[j + 4] = _mm512_and_si512(_mm512_srli_epi16(v, 4), mask);
  }
}

INLINE void load_sums(__m512 *acc, const float *out, int64_t stride, int goes_on, const int C) {
  UNROLL for (int c = 0; c < C; c++) acc[c] = goes_on ? _mm512_loadu_ps(out + c * stride) : _mm512_setzero_ps();
}
INLINE void store_sums(const __m512 *acc, float *out, int64_t stride, const int C) {
  UNROLL for (int c = 0; c < C; c++) _mm512_storeu_ps(out + c * stride, acc[c]);
}

INLINE void tile_q4_0(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags, const int C) {
  __m512 acc[TILE_INT8];
  load_sums(acc, out, stride, flags & GOES_ON, C);
  for (; units > 0; units--, w += Q4_0_UNIT) {
    if (flags & FROM_MEMORY) PREFETCH(w, Q4_0_UNIT);
    UNROLL for (int b = 0; b < 2; b++, x += C * INT8_BLOCK_BYTES) {
      __m512i q[8];
      unpack_nibbles(w + 64 + 256 * b, q);
      add_block(q, v_load_f16((const uint16_t *)w + 16 * b), 0, x, acc, C);
    }
  }
  store_sums(acc, out, stride, C);
}

INLINE void tile_q8_0(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags, const int C) {
  __m512 acc[TILE_INT8];
  load_sums(acc, out, stride, flags & GOES_ON, C);
  for (; units > 0; units--, w += Q8_0_UNIT) {
    if (flags & FROM_MEMORY) PREFETCH(w, Q8_0_UNIT);
    UNROLL for (int b = 0; b < 2; b++, x += C * INT8_BLOCK_BYTES) {
      __m512i q[8];
      UNROLL for (int j = 0; j < 8; j++) q[j] = _mm512_load_si512(w + 64 + 512 * b + 64 * j);
      // The offset is 128, sixteen times that of q4_0.
      add_block(q, v_load_f16((const uint16_t *)w + 16 * b), 4, x, acc, C);
    }
  }
  store_sums(acc, out, stride, C);
}

// Six bits, a scale for every 16 columns. The sum of 16 activations, which no tile carries, is a dot product with 32s.
INLINE void tile_q6_K(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags, const int C) {
  __m512 acc[TILE_INT8];
  load_sums(acc, out, stride, flags & GOES_ON, C);
  const __m512i all32 = _mm512_set1_epi8(32);
  for (; units > 0; units--, w += Q6_K_UNIT) {
    if (flags & FROM_MEMORY) PREFETCH(w, Q6_K_UNIT);
    const __m512 d = v_load_f16((const uint16_t *)(w + 832));
    UNROLL for (int b = 0; b < 2; b++, x += C * INT8_BLOCK_BYTES) {
      __m512i q[8];
      unpack_nibbles(w + 256 * b, q);
      UNROLL for (int v = 0; v < 2; v++) {
        const __m512i top = _mm512_load_si512(w + 512 + 128 * b + 64 * v);
        q[4 * v] = _mm512_or_si512(q[4 * v], _mm512_slli_epi16(_mm512_and_si512(top, _mm512_set1_epi8(0x03)), 4));
        q[4 * v + 1] = _mm512_or_si512(q[4 * v + 1], _mm512_slli_epi16(_mm512_and_si512(top, _mm512_set1_epi8(0x0c)), 2));
        q[4 * v + 2] = _mm512_or_si512(q[4 * v + 2], _mm512_and_si512(top, _mm512_set1_epi8(0x30)));
        q[4 * v + 3] = _mm512_or_si512(q[4 * v + 3], _mm512_and_si512(_mm512_srli_epi16(top, 2), _mm512_set1_epi8(0x30)));
      }
      const float *scales = (const float *)(x + C * 32);
      UNROLL for (int half = 0; half < 2; half++) {
        const __m128i s = _mm_load_si128((const __m128i *)(w + 768 + 16 * (2 * b + half)));
        const __m512 scale = _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(s)));
        UNROLL for (int c = 0; c < C; c++) {
          __m512i sum = _mm512_setzero_si512(), offset = sum;
          UNROLL for (int j = 4 * half; j < 4 * half + 4; j++) {
            sum = dot4(sum, q[j], x + c * 32 + 4 * j);
            offset = dot4(offset, all32, x + c * 32 + 4 * j);
          }
          const __m512 whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum, offset));
          acc[c] = _mm512_fmadd_ps(_mm512_mul_ps(scale, _mm512_set1_ps(scales[c])), whole, acc[c]);
        }
      }
    }
  }
  store_sums(acc, out, stride, C);
}

// Add one block of 32 columns of q4_K or q5_K: unsigned weights with a scale and a minimum, an eighth of it in `minimum`.
INLINE void add_block_with_minimum(const __m512i w[8], __m512 scale, __m512 minimum, const uint8_t *x, __m512 *acc, const int C) {
  const float *scales = (const float *)(x + C * 32);
  const uint8_t *starts = x + C * 36;
  UNROLL for (int first = 0; first < C; first += COLUMNS_AT_ONCE) {
    __m512i sum[COLUMNS_AT_ONCE];
    const int n = C - first < COLUMNS_AT_ONCE ? C - first : COLUMNS_AT_ONCE;
    UNROLL for (int c = 0; c < n; c++) sum[c] = _mm512_setzero_si512();
    UNROLL for (int j = 0; j < 8; j++)
      UNROLL for (int c = 0; c < n; c++) sum[c] = dot4(sum[c], w[j], x + (first + c) * 32 + 4 * j);
    UNROLL for (int c = 0; c < n; c++) {
      const __m512 of_x = _mm512_set1_ps(scales[first + c]), start = _mm512_cvtepi32_ps(broadcast(starts + 4 * (first + c)));
      const __m512 added = _mm512_fmadd_ps(_mm512_mul_ps(scale, of_x), _mm512_cvtepi32_ps(sum[c]), acc[first + c]);
      acc[first + c] = _mm512_fmadd_ps(_mm512_mul_ps(minimum, of_x), start, added);
    }
  }
}
INLINE __m512 sixteen_bytes(const uint8_t *p) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_load_si128((const __m128i *)p))); }

INLINE void tile_with_minima(const uint8_t *w, const uint8_t *x, int64_t units, float *out, int64_t stride, int flags, const int64_t type, const int C) {
  const int unit = type == Q4_K ? Q4_K_UNIT : Q5_K_UNIT;
  __m512 acc[TILE_INT8];
  load_sums(acc, out, stride, flags & GOES_ON, C);
  for (; units > 0; units--, w += unit) {
    if (flags & FROM_MEMORY) PREFETCH(w, unit);
    const __m512 d = v_load_f16((const uint16_t *)(w + 576)), dmin = _mm512_mul_ps(v_load_f16((const uint16_t *)(w + 608)), _mm512_set1_ps(0.125f));
    UNROLL for (int b = 0; b < 2; b++, x += C * INT8_BLOCK_BYTES) {
      __m512i q[8];
      unpack_nibbles(w + 256 * b, q);
      if (type == Q5_K) {
        const __m512i top = _mm512_load_si512(w + 640 + 64 * b), bit = _mm512_set1_epi8(16);
        UNROLL for (int j = 0; j < 4; j++) q[j] = _mm512_or_si512(q[j], _mm512_and_si512(_mm512_slli_epi16(top, 4 - j), bit));
        UNROLL for (int j = 4; j < 8; j++) q[j] = _mm512_or_si512(q[j], _mm512_and_si512(_mm512_srli_epi16(top, j - 4), bit));
      }
      const __m512 scale = _mm512_mul_ps(d, sixteen_bytes(w + 512 + 16 * b)), minimum = _mm512_mul_ps(dmin, sixteen_bytes(w + 544 + 16 * b));
      add_block_with_minimum(q, scale, minimum, x, acc, C);
    }
  }
  store_sums(acc, out, stride, C);
}
INLINE void tile_q4_K(const uint8_t *w, const uint8_t *x, int64_t n, float *out, int64_t stride, int flags, const int C) { tile_with_minima(w, x, n, out, stride, flags, Q4_K, C); }
INLINE void tile_q5_K(const uint8_t *w, const uint8_t *x, int64_t n, float *out, int64_t stride, int flags, const int C) { tile_with_minima(w, x, n, out, stride, flags, Q5_K, C); }

INLINE v16 load_weights(const uint8_t *w, const int64_t type, const int column) {
  if (type == F32) return v_load((const float *)w + 16 * column);
  return type == F16 ? v_load_f16((const uint16_t *)w + 16 * column) : v_load_bf16((const uint16_t *)w + 16 * column);
}

// Unquantised weights: even and odd columns of a unit are summed apart, then added, then added to the sum so far.
INLINE void tile_float(const uint8_t *w, const uint8_t *x_, int64_t units, float *out, int64_t stride, int flags, const int64_t type, const int C) {
  const float *x = (const float *)x_;
  const int bytes = type == F32 ? F32_UNIT : HALF_UNIT;
  int goes_on = flags & GOES_ON;
  for (; units > 0; units--, w += bytes, x += C * 64, goes_on = 1) {
    __m512 even[TILE_F32], odd[TILE_F32];
    UNROLL for (int c = 0; c < C; c++) even[c] = odd[c] = _mm512_setzero_ps();
    for (int k = 0; k < 64; k += 2) {
      if (flags & FROM_MEMORY) UNROLL for (int line = 0; line < bytes / 2048; line++) v_prefetch(w + PREFETCH_BYTES + k * bytes / 64 + 64 * line);
      const v16 a = load_weights(w, type, k), b = load_weights(w, type, k + 1);
      UNROLL for (int c = 0; c < C; c++) {
        even[c] = _mm512_fmadd_ps(a, _mm512_set1_ps(x[c * 64 + k]), even[c]);
        odd[c] = _mm512_fmadd_ps(b, _mm512_set1_ps(x[c * 64 + k + 1]), odd[c]);
      }
    }
    UNROLL for (int c = 0; c < C; c++) {
      const __m512 sum = _mm512_add_ps(even[c], odd[c]);
      _mm512_storeu_ps(out + c * stride, goes_on ? _mm512_add_ps(_mm512_loadu_ps(out + c * stride), sum) : sum);
    }
  }
}
