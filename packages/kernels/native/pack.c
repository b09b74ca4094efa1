// Rows of a GGUF file into the order of format.h. Runs at several gigabytes a second, so a model is packed while it is
// read and no packed copy is kept on disk.
#include "format.h"
#include "rows.h"

static inline void put_half(uint8_t *to, uint16_t value) {
  to[0] = (uint8_t)value;
  to[1] = (uint8_t)(value >> 8);
}

typedef uint32_t four_words __attribute__((vector_size(16)));

static inline four_words words_at(const uint8_t *p) {
  four_words v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// Four words of four rows each become four words of one column each: vector j of a unit has word j of all rows.
static inline void transpose(const uint8_t *row, int64_t row_bytes, uint32_t flip, uint8_t *to) {
  const four_words a = words_at(row), b = words_at(row + row_bytes), c = words_at(row + 2 * row_bytes), d = words_at(row + 3 * row_bytes);
  const four_words ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const four_words ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const four_words out[4] = {
    __builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
    __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5), __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7),
  };
  for (int j = 0; j < 4; j++) {
    const four_words v = out[j] ^ flip;
    __builtin_memcpy(to + 64 * j, &v, sizeof v);
  }
}

// One whole unit of sixteen rows of q4_0 or q8_0, the bulk of most models: four rows at a time.
static inline void pack_blocks(uint8_t *w, const uint8_t *rows, int64_t row_bytes, int64_t type, int64_t unit) {
  const int block_bytes = type == Q4_0 ? Q4_0_BLOCK : Q8_0_BLOCK, parts = type == Q4_0 ? 1 : 2;
  const uint32_t flip = type == Q4_0 ? 0 : 0x80808080u;
  for (int b = 0; b < 2; b++) {
    const uint8_t *block = rows + (unit * 2 + b) * block_bytes;
    for (int r = 0; r < ROWS_OF_GROUP; r++) put_half(w + 32 * b + 2 * r, half_at(block + r * row_bytes));
    for (int part = 0; part < parts; part++)
      for (int r = 0; r < ROWS_OF_GROUP; r += 4)
        transpose(block + r * row_bytes + 2 + 16 * part, row_bytes, flip, w + 64 + (b * parts + part) * 256 + 4 * r);
  }
}

// One unit of one row: columns 64 * unit on. `w` is the unit of the row's group, r the row in it.
static inline void pack_unit(uint8_t *w, int r, const uint8_t *row, int64_t type, int64_t unit, int64_t length) {
  const int64_t column = unit * COLUMNS_OF_UNIT;
  if (type == Q4_0 || type == Q8_0) {
    const int block_bytes = type == Q4_0 ? Q4_0_BLOCK : Q8_0_BLOCK, vectors = type == Q4_0 ? 4 : 8;
    for (int b = 0; b < 2 && column + 32 * b < length; b++) {
      const uint8_t *block = row + (unit * 2 + b) * block_bytes;
      put_half(w + 32 * b + 2 * r, half_at(block));
      uint8_t *to = w + 64 + b * vectors * 64 + 4 * r;
      const uint32_t flip = type == Q4_0 ? 0 : 0x80808080u;
      for (int j = 0; j < vectors; j++) {
        uint32_t four;
        __builtin_memcpy(&four, block + 2 + 4 * j, 4);
        four ^= flip;
        __builtin_memcpy(to + 64 * j, &four, 4);
      }
    }
  } else if (type == Q4_K || type == Q5_K) {
    const uint8_t *block = row + column / K_WEIGHTS * (type == Q4_K ? Q4_K_BLOCK : Q5_K_BLOCK);
    const int first = (int)(column % K_WEIGHTS);
    for (int b = 0; b < 2; b++) {
      for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++) {
          const uint8_t low = k_weight(block, type, first + 32 * b + 4 * j + i), high = k_weight(block, type, first + 32 * b + 16 + 4 * j + i);
          w[256 * b + 64 * j + 4 * r + i] = (uint8_t)((low & 15) | (high & 15) << 4);
        }
      w[512 + 16 * b + r] = k_scale(block, first / 32 + b);
      w[544 + 16 * b + r] = k_minimum(block, first / 32 + b);
      if (type == Q5_K)
        for (int i = 0; i < 4; i++) {
          uint8_t top = 0;
          for (int j = 0; j < 8; j++) top |= (uint8_t)(k_weight(block, type, first + 32 * b + 4 * j + i) >> 4 << j);
          w[640 + 64 * b + 4 * r + i] = top;
        }
    }
    put_half(w + 576 + 2 * r, half_at(block));
    put_half(w + 608 + 2 * r, half_at(block + 2));
  } else if (type == Q6_K) {
    const uint8_t *block = row + column / K_WEIGHTS * Q6_K_BLOCK;
    const int first = (int)(column % K_WEIGHTS);
    for (int b = 0; b < 2; b++)
      for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++) {
          const uint8_t low = q6_K_weight(block, first + 32 * b + 4 * j + i), high = q6_K_weight(block, first + 32 * b + 16 + 4 * j + i);
          w[256 * b + 64 * j + 4 * r + i] = (uint8_t)((low & 15) | (high & 15) << 4);
        }
    for (int b = 0; b < 2; b++)
      for (int v = 0; v < 2; v++)
        for (int i = 0; i < 4; i++) {
          uint8_t top = 0;
          for (int f = 0; f < 4; f++) top |= (uint8_t)(q6_K_weight(block, first + 32 * b + 16 * v + 4 * f + i) >> 4 << 2 * f);
          w[512 + 128 * b + 64 * v + 4 * r + i] = top;
        }
    for (int s = 0; s < 4; s++) w[768 + 16 * s + r] = (uint8_t)q6_K_scale(block, first + 16 * s);
    put_half(w + 832 + 2 * r, q6_K_d(block));
  } else {
    const int bytes = type == F32 ? 4 : 2;
    for (int64_t k = 0; k < COLUMNS_OF_UNIT && column + k < length; k++)
      for (int i = 0; i < bytes; i++) w[(k * ROWS_OF_GROUP + r) * bytes + i] = row[(column + k) * bytes + i];
  }
}

static int64_t row_bytes(int64_t type, int64_t length) {
  switch (type) {
    case F32: return length * 4;
    case Q4_0: return length / 32 * Q4_0_BLOCK;
    case Q8_0: return length / 32 * Q8_0_BLOCK;
    case Q4_K: return length / K_WEIGHTS * Q4_K_BLOCK;
    case Q5_K: return length / K_WEIGHTS * Q5_K_BLOCK;
    case Q6_K: return length / K_WEIGHTS * Q6_K_BLOCK;
    default: return length * 2;
  }
}

// Packs whole groups. Calls for other groups may run at the same time.
GPTJ_EXPORT void gptj_pack(const pack *p) {
  const int64_t bytes = row_bytes(p->into.type, p->row_length), size = unit_bytes(p->into.type);
  for (int64_t g = 0; g < p->groups; g++)
    for (int64_t unit = 0; unit < p->into.units; unit++) {
      uint8_t *w = (uint8_t *)p->into.weights + unit_index(&p->into, p->first_group + g, unit) * size;
      // Rows and columns that are missing stay zero: with a scale of zero, or a weight of zero.
      const int whole = (g + 1) * ROWS_OF_GROUP <= p->row_count && (unit + 1) * COLUMNS_OF_UNIT <= p->row_length;
      if (whole && (p->into.type == Q4_0 || p->into.type == Q8_0)) {
        pack_blocks(w, p->rows + g * ROWS_OF_GROUP * bytes, bytes, p->into.type, unit);
        continue;
      }
      if (!whole || p->into.type == Q6_K) __builtin_memset(w, 0, (size_t)size);
      for (int r = 0; r < ROWS_OF_GROUP; r++) {
        const int64_t row = g * ROWS_OF_GROUP + r;
        if (row < p->row_count) pack_unit(w, r, p->rows + row * bytes, p->into.type, unit, p->row_length);
      }
    }
}

GPTJ_EXPORT int64_t gptj_unit_bytes(int64_t type) { return unit_bytes(type); }
