// Work on whole arrays of weights with the 128-bit vectors of WebAssembly: transposition, conversions, questions about bits.
// The same functions in TypeScript (../src/transpose.ts, float-format.ts, number-checks.ts) state what every one does; tests compare
// them byte by byte. Addresses are offsets in the module's memory; distances are in elements.
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

// Halves: a tile of 32 x 32 is read a cache line (64 bytes) at a time, turned, and written a line at a time.
// Rows that are a power of two apart share one set of the cache, so that turning in the matrix itself would evict half lines.
#define TILE 32

static inline void transpose_8x8(const uint16_t *from, uint16_t *to) {
  v128_t a[8], b[8];
  for (int i = 0; i < 8; i++) a[i] = wasm_v128_load(from + i * TILE);
#define LOW16(x, y) wasm_i16x8_shuffle(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH16(x, y) wasm_i16x8_shuffle(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#define LOW32(x, y) wasm_i32x4_shuffle(x, y, 0, 4, 1, 5)
#define HIGH32(x, y) wasm_i32x4_shuffle(x, y, 2, 6, 3, 7)
#define LOW64(x, y) wasm_i64x2_shuffle(x, y, 0, 2)
#define HIGH64(x, y) wasm_i64x2_shuffle(x, y, 1, 3)
  for (int i = 0; i < 4; i++) {
    b[2 * i] = LOW16(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = HIGH16(a[2 * i], a[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    a[4 * i] = LOW32(b[4 * i], b[4 * i + 2]);
    a[4 * i + 1] = HIGH32(b[4 * i], b[4 * i + 2]);
    a[4 * i + 2] = LOW32(b[4 * i + 1], b[4 * i + 3]);
    a[4 * i + 3] = HIGH32(b[4 * i + 1], b[4 * i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    wasm_v128_store(to + 2 * i * TILE, LOW64(a[i], a[i + 4]));
    wasm_v128_store(to + (2 * i + 1) * TILE, HIGH64(a[i], a[i + 4]));
  }
}

void EXPORT(transpose16)(const uint16_t *from, uint16_t *to, int32_t columns, int32_t rows, int32_t column_distance,
                         int32_t row_length) {
  static _Alignas(64) uint16_t tile[TILE * TILE], turned[TILE * TILE];
  const int32_t whole_columns = columns - columns % TILE, whole_rows = rows - rows % TILE;
  for (int32_t column = 0; column < whole_columns; column += TILE) {
    for (int32_t row = 0; row < whole_rows; row += TILE) {
      for (int i = 0; i < TILE; i++) {
        const uint16_t *line = from + (column + i) * column_distance + row;
        for (int j = 0; j < TILE; j += 8) wasm_v128_store(tile + i * TILE + j, wasm_v128_load(line + j));
      }
      for (int i = 0; i < TILE; i += 8)
        for (int j = 0; j < TILE; j += 8) transpose_8x8(tile + i * TILE + j, turned + j * TILE + i);
      for (int i = 0; i < TILE; i++) {
        uint16_t *line = to + (row + i) * row_length + column;
        for (int j = 0; j < TILE; j += 8) wasm_v128_store(line + j, wasm_v128_load(turned + i * TILE + j));
      }
    }
  }
  for (int32_t row = 0; row < rows; row++)
    for (int32_t column = row < whole_rows ? whole_columns : 0; column < columns; column++)
      to[row * row_length + column] = from[column * column_distance + row];
}

void EXPORT(transpose32)(const uint32_t *from, uint32_t *to, int32_t columns, int32_t rows, int32_t column_distance,
                         int32_t row_length) {
  const int32_t whole_columns = columns - columns % 16, whole_rows = rows - rows % 16;
  for (int32_t row = 0; row < whole_rows; row += 16) {
    for (int32_t column = 0; column < whole_columns; column += 16) {
      // Sixteen words are a cache line; a block of four columns fills a quarter of sixteen lines.
      for (int32_t block = column; block < column + 16; block += 4) {
        for (int32_t at = row; at < row + 16; at += 4) {
          v128_t a[4], b[4];
          for (int i = 0; i < 4; i++) a[i] = wasm_v128_load(from + (block + i) * column_distance + at);
          b[0] = LOW32(a[0], a[1]);
          b[1] = HIGH32(a[0], a[1]);
          b[2] = LOW32(a[2], a[3]);
          b[3] = HIGH32(a[2], a[3]);
          uint32_t *line = to + at * row_length + block;
          wasm_v128_store(line, LOW64(b[0], b[2]));
          wasm_v128_store(line + row_length, HIGH64(b[0], b[2]));
          wasm_v128_store(line + 2 * row_length, LOW64(b[1], b[3]));
          wasm_v128_store(line + 3 * row_length, HIGH64(b[1], b[3]));
        }
      }
    }
  }
  for (int32_t row = 0; row < rows; row++)
    for (int32_t column = row < whole_rows ? whole_columns : 0; column < columns; column++)
      to[row * row_length + column] = from[column * column_distance + row];
}

// Whether an element has all bits of `exponent`: an infinity or NaN. Addition of the lowest bit carries into the sign then.
int32_t EXPORT(has_non_finite16)(const uint16_t *from, int32_t count, int32_t exponent) {
  const v128_t mask = wasm_i16x8_splat((int16_t)exponent), unit = wasm_i16x8_splat((int16_t)(exponent & -exponent));
  v128_t found = wasm_i32x4_splat(0);
  int32_t i = 0;
  for (; i + 32 <= count; i += 32)
    for (int j = 0; j < 32; j += 8)
      found = wasm_v128_or(found, wasm_i16x8_add(wasm_v128_and(wasm_v128_load(from + i + j), mask), unit));
  uint32_t rest = 0;
  for (; i < count; i++) rest |= (from[i] & exponent) == (uint32_t)exponent;
  return rest != 0 || wasm_i16x8_bitmask(found) != 0;
}

int32_t EXPORT(has_non_finite32)(const uint32_t *from, int32_t count) {
  const v128_t mask = wasm_i32x4_splat(0x7f800000), unit = wasm_i32x4_splat(0x00800000);
  v128_t found = wasm_i32x4_splat(0);
  int32_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (int j = 0; j < 16; j += 4)
      found = wasm_v128_or(found, wasm_i32x4_add(wasm_v128_and(wasm_v128_load(from + i + j), mask), unit));
  uint32_t rest = 0;
  for (; i < count; i++) rest |= (from[i] & 0x7f800000) == 0x7f800000;
  return rest != 0 || wasm_i32x4_bitmask(found) != 0;
}

// Bits of float16 in the lower halves of four words.
static inline v128_t to_half(v128_t bits) {
  const v128_t sign = wasm_v128_and(bits, wasm_i32x4_splat((int32_t)0x80000000));
  const v128_t magnitude = wasm_v128_xor(bits, sign);
  // Normal: the addend rounds the thirteen dropped bits to nearest, ties to even.
  const v128_t odd = wasm_v128_and(wasm_u32x4_shr(magnitude, 13), wasm_i32x4_splat(1));
  v128_t result = wasm_u32x4_shr(
      wasm_i32x4_add(wasm_i32x4_sub(magnitude, wasm_i32x4_splat(0x38000000 - 0xfff)), odd), 13);
  // From 2^16 on, an infinity; what rounds to one is there already.
  result = wasm_i32x4_min(result, wasm_i32x4_splat(0x7c00));
  // Below 2^-14 an addition of 0.5 shifts the bits to where the processor rounds them.
  const v128_t half = wasm_f32x4_splat(0.5f);
  const v128_t small = wasm_i32x4_sub(wasm_f32x4_add(magnitude, half), half);
  result = wasm_v128_bitselect(small, result, wasm_i32x4_lt(magnitude, wasm_i32x4_splat(0x38800000)));
  const v128_t nan = wasm_v128_or(wasm_i32x4_splat(0x7e00),
                                  wasm_v128_and(wasm_u32x4_shr(magnitude, 13), wasm_i32x4_splat(0x3ff)));
  result = wasm_v128_bitselect(nan, result, wasm_i32x4_gt(magnitude, wasm_i32x4_splat(0x7f800000)));
  return wasm_v128_or(result, wasm_u32x4_shr(sign, 16));
}

// Bits of float32 of the float16 in the lower halves.
static inline v128_t from_half(v128_t half) {
  const v128_t magnitude = wasm_v128_and(half, wasm_i32x4_splat(0x7fff));
  const v128_t scaled = wasm_f32x4_mul(wasm_i32x4_shl(magnitude, 13), wasm_i32x4_splat(0x77800000));
  const v128_t special = wasm_v128_or(wasm_i32x4_shl(magnitude, 13), wasm_i32x4_splat(0x7f800000));
  const v128_t result =
      wasm_v128_bitselect(special, scaled, wasm_i32x4_ge(magnitude, wasm_i32x4_splat(0x7c00)));
  return wasm_v128_or(result, wasm_i32x4_shl(wasm_v128_andnot(half, wasm_i32x4_splat(0x7fff)), 16));
}

static inline v128_t narrow(v128_t low, v128_t high) { return wasm_u16x8_narrow_i32x4(low, high); }

// The counts below are multiples of eight.
void EXPORT(encode_half)(const uint32_t *from, uint16_t *to, int32_t count) {
  for (int32_t i = 0; i < count; i += 8)
    wasm_v128_store(to + i, narrow(to_half(wasm_v128_load(from + i)), to_half(wasm_v128_load(from + i + 4))));
}

void EXPORT(decode_half)(const uint16_t *from, uint32_t *to, int32_t count) {
  for (int32_t i = 0; i < count; i += 8) {
    const v128_t halves = wasm_v128_load(from + i);
    wasm_v128_store(to + i, from_half(wasm_u32x4_extend_low_u16x8(halves)));
    wasm_v128_store(to + i + 4, from_half(wasm_u32x4_extend_high_u16x8(halves)));
  }
}

void EXPORT(decode_bfloat)(const uint16_t *from, uint32_t *to, int32_t count) {
  for (int32_t i = 0; i < count; i += 8) {
    const v128_t halves = wasm_v128_load(from + i);
    wasm_v128_store(to + i, wasm_i32x4_shl(wasm_u32x4_extend_low_u16x8(halves), 16));
    wasm_v128_store(to + i + 4, wasm_i32x4_shl(wasm_u32x4_extend_high_u16x8(halves), 16));
  }
}

// Whether float16 has all of the numbers. Infinities and NaN count as numbers that it has not.
int32_t EXPORT(is_half_exact)(const uint32_t *from, int32_t count) {
  v128_t differs = wasm_i32x4_splat(0);
  for (int32_t i = 0; i < count; i += 4) {
    const v128_t bits = wasm_v128_load(from + i);
    const v128_t magnitude = wasm_v128_and(bits, wasm_i32x4_splat(0x7fffffff));
    differs = wasm_v128_or(differs, wasm_i32x4_ge(magnitude, wasm_i32x4_splat(0x7f800000)));
    differs = wasm_v128_or(differs, wasm_v128_xor(bits, from_half(to_half(bits))));
  }
  return !wasm_v128_any_true(differs);
}
