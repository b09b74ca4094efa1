// The functions of one row: e^x, GELU, layer norm, rounding to int8. Each is a fixed sequence of rounded operations on
// sixteen lanes, so its bits are the same on every instruction set and with every compiler (contraction is off).
#pragma once
#include "format.h"

// e^x for -87 <= x <= 88; outside, the value at the border. Relative error below 3e-7.
// x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts so that n ln 2 loses no bits; e^r by a polynomial of degree 7
// (coefficients of Cephes expf).
INLINE v16 v_exp(v16 x) {
  x = v_max(v_min(x, v_set(88.f)), v_set(-87.f));
  const v16 n = v_round(v_mul(x, v_set(1.44269504f)));
  v16 r = v_fma(n, v_set(-0.693359375f), x);
  r = v_fma(n, v_set(2.12194440e-4f), r);
  v16 p = v_set(1.9875691500e-4f);
  p = v_fma(p, r, v_set(1.3981999507e-3f));
  p = v_fma(p, r, v_set(8.3334519073e-3f));
  p = v_fma(p, r, v_set(4.1665795894e-2f));
  p = v_fma(p, r, v_set(1.6666665459e-1f));
  p = v_fma(p, r, v_set(5.0000001201e-1f));
  p = v_add(v_fma(v_mul(r, r), p, r), v_set(1.f));
  return v_scale(p, n);
}

// gelu_new(x) = x/2 (1 + tanh(u)) = x - x / (e^2u + 1), u = sqrt(2/pi) (x + 0.044715 x^3).
INLINE v16 v_gelu(v16 x) {
  const v16 cube = v_mul(v_mul(x, x), x);
  const v16 twice_u = v_mul(v_set(1.5957691216f), v_fma(cube, v_set(0.044715f), x));
  return v_sub(x, v_div(x, v_add(v_exp(twice_u), v_set(1.f))));
}

// out = (x - mean) / sqrt(variance + epsilon) * weight + bias over the first `width` of `padded` values; the others,
// whose x, weight and bias are zero, become zero. `padded` is a multiple of 16.
static void layer_norm(float *out, const float *x, const float *weight, const float *bias, int64_t width, int64_t padded, float epsilon) {
  const int64_t whole = width / 16 * 16;
  v16 sum = v_set(0);
  for (int64_t i = 0; i < padded; i += 16) sum = v_add(sum, v_load(x + i));
  const float mean = v_sum(sum) / (float)width;
  v16 squares = v_set(0);
  for (int64_t i = 0; i < whole; i += 16) {
    const v16 d = v_sub(v_load(x + i), v_set(mean));
    squares = v_fma(d, d, squares);
  }
  if (whole < width) {
    float rest[16] = {0};
    for (int64_t i = whole; i < width; i++) rest[i - whole] = x[i] - mean;
    squares = v_fma(v_load(rest), v_load(rest), squares);
  }
  const v16 scale = v_set(1.f / __builtin_sqrtf(v_sum(squares) / (float)width + epsilon));
  for (int64_t i = 0; i < padded; i += 16)
    v_store(out + i, v_fma(v_mul(v_sub(v_load(x + i), v_set(mean)), scale), v_load(weight + i), v_load(bias + i)));
}

// Below this, 127 / max is not finite; such a block is as good as zero.
#define SMALLEST_BLOCK 1e-30f

// Activations of one phase as its products read them: for each of `rows` rows `units` units, as int8 where `int8` is not
// null and as float32 where `f32` is not null.
typedef struct {
  uint8_t *int8;
  float *f32;
  int rows;
  int64_t units;
} activations;

// Where a row's values go: the same in every block and unit of its tile.
typedef struct {
  uint8_t *int8; // the tile's first block
  float *f32;    // the row's part of the tile's first unit
  int64_t width8, width32; // rows of the tile
  int64_t column;          // of the row in its int8 tile
} row_place;

static inline row_place place_of_row(const activations *a, int row) {
  row_place p = {0, 0, 0, 0, 0};
  if (a->int8) {
    const int tile = tile_of(a->rows, TILE_INT8, row), start = tile_start(a->rows, TILE_INT8, tile);
    p.width8 = tile_start(a->rows, TILE_INT8, tile + 1) - start;
    p.column = row - start;
    p.int8 = a->int8 + start * a->units * 2 * INT8_BLOCK_BYTES;
  }
  if (a->f32) {
    const int tile = tile_of(a->rows, TILE_F32, row), start = tile_start(a->rows, TILE_F32, tile);
    p.width32 = tile_start(a->rows, TILE_F32, tile + 1) - start;
    p.f32 = a->f32 + (start * a->units + row - start) * COLUMNS_OF_UNIT;
  }
  return p;
}

// 32 values of a row at block `block`.
INLINE void put_block(const row_place *p, int64_t block, const float *x) {
  if (p->int8) {
    uint8_t *to = p->int8 + block * p->width8 * INT8_BLOCK_BYTES;
    const float max = v_max_of(v_max(v_abs(v_load(x)), v_abs(v_load(x + 16))));
    const float inverse = max > SMALLEST_BLOCK ? 127.f / max : 0.f;
    const int32_t sum = v_to_int8(x, inverse, (int8_t *)to + p->column * BLOCK);
    ((float *)(to + p->width8 * BLOCK))[p->column] = max > SMALLEST_BLOCK ? max / 127.f : 0.f;
    ((int32_t *)(to + p->width8 * (BLOCK + 4)))[p->column] = -8 * sum;
  }
  if (p->f32) {
    float *to = p->f32 + block / 2 * p->width32 * COLUMNS_OF_UNIT + block % 2 * BLOCK;
    v_store(to, v_load(x));
    v_store(to + 16, v_load(x + 16));
  }
}

// A whole row, padded to 64 * units values.
static void put_row(const activations *a, int row, const float *x) {
  const row_place p = place_of_row(a, row);
  for (int64_t block = 0; block < 2 * a->units; block++) put_block(&p, block, x + block * BLOCK);
}

// out[row][0..16 * groups) = (or +=) groups `first` to `first + groups - 1` of W times the activations.
static void multiply(const matrix *w, int64_t first, int64_t groups, const activations *x, float *out, int64_t stride, int goes_on) {
  const int int8 = is_quantised(w->type), max = int8 ? TILE_INT8 : TILE_F32, tiles = tile_count(x->rows, max);
  const int64_t unit = unit_bytes(w->type);
  for (int64_t k = 0; k < w->units; k += UNITS_OF_CHUNK) {
    const int64_t units = w->units - k < UNITS_OF_CHUNK ? w->units - k : UNITS_OF_CHUNK;
    for (int tile = 0; tile < tiles; tile++) {
      const int start = tile_start(x->rows, max, tile), width = tile_start(x->rows, max, tile + 1) - start;
      const uint8_t *from = int8 ? x->int8 + (start * x->units + k * width) * 2 * INT8_BLOCK_BYTES
                                 : (const uint8_t *)(x->f32 + (start * x->units + k * width) * COLUMNS_OF_UNIT);
      const int flags = (goes_on || k > 0 ? GOES_ON : 0) | (tile == 0 ? FROM_MEMORY : 0);
      for (int64_t g = 0; g < groups; g++)
        multiply_tile(w->type, width, w->weights + unit_index(w, first + g, k) * unit, from, units, out + start * stride + g * ROWS_OF_GROUP, stride, flags);
    }
  }
}
