// Packed weights and activations.
//
// A product reads its weights strictly forwards, because one row of activations is bound by memory and a processor
// fetches a forward stream best. So the weights are stored in the order in which a product reads them:
//
//   group      16 rows of the matrix. Lanes of a vector are rows, so no product ever sums across lanes.
//   unit       64 columns of a group: the smallest piece, with its scales beside its weights, in whole cache lines.
//   chunk      64 units (4,096 columns): what a product reads of one group before it goes on to the next group.
//   super-row  8 groups (128 rows), chunk by chunk, in each chunk group by group: what one thread takes at a time.
//
// Quantised weights are stored unsigned (q4_0's 0..15 as they are, q8_0's bytes with the top bit flipped), because the
// instruction that multiplies bytes takes one unsigned operand. The offset is taken out by starting each dot product
// from -8 * (sum of the activations), which activations carry with them.
#pragma once
#include "abi.h"

// Bytes of a unit.
//   q4_0  f16 scales[2 blocks][16 rows]; bytes[2][4][64]: byte 4*row+i of vector j: low nibble column 4j+i, high 16+4j+i
//   q8_0  f16 scales[2][16]; bytes[2][8][64]: byte 4*row+i of vector j: column 4j+i, xor 0x80
//   q6_K  low nibbles[2][4][64] as q4_0; top bits[2][2][64]: bits 2f and 2f+1 of byte 4*row+i of vector v: column
//         16v+4f+i; int8 scales[4 runs of 16 columns][16]; f16 scale[16]; 32 bytes unused
//   q4_K  nibbles[2][4][64] as q4_0; uint8 scales[2][16], minima[2][16]; f16 scale[16] of the scales, f16 [16] of the minima
//   q5_K  as q4_K; then top bits[2][64]: bit j of byte 4*row+i: the columns of vector j of the block
//   f16, bf16, f32  [64 columns][16 rows]
enum {
  Q4_0_UNIT = 576, Q8_0_UNIT = 1088, Q4_K_UNIT = 640, Q5_K_UNIT = 768, Q6_K_UNIT = 896, HALF_UNIT = 2048, F32_UNIT = 4096,
  UNITS_OF_CHUNK = 64,
};

static inline int64_t unit_bytes(int64_t type) {
  switch (type) {
    case Q4_0: return Q4_0_UNIT;
    case Q8_0: return Q8_0_UNIT;
    case Q4_K: return Q4_K_UNIT;
    case Q5_K: return Q5_K_UNIT;
    case Q6_K: return Q6_K_UNIT;
    case F32: return F32_UNIT;
    default: return HALF_UNIT;
  }
}

// Whether products of this type read activations as int8 (otherwise as float32).
static inline int is_quantised(int64_t type) { return type == Q4_0 || type == Q8_0 || (type >= Q4_K && type <= Q6_K); }

// Number of units before unit `unit` of group `group`.
static inline int64_t unit_index(const matrix *m, int64_t group, int64_t unit) {
  const int64_t super = group / GROUPS_OF_SUPER_ROW, left = m->groups - super * GROUPS_OF_SUPER_ROW;
  const int64_t groups = left < GROUPS_OF_SUPER_ROW ? left : GROUPS_OF_SUPER_ROW;
  const int64_t chunk = unit / UNITS_OF_CHUNK * UNITS_OF_CHUNK;
  const int64_t length = m->units - chunk < UNITS_OF_CHUNK ? m->units - chunk : UNITS_OF_CHUNK;
  return super * GROUPS_OF_SUPER_ROW * m->units + chunk * groups + group % GROUPS_OF_SUPER_ROW * length + unit - chunk;
}

// Activations are cut into tiles of up to TILE_INT8 (or TILE_F32) rows; the rows of a tile lie side by side, block of 32
// columns after block of 32 columns, so that a product reads them forwards as well.
//   int8  a block: int8 [rows][32], float scale [rows], int32 start [rows]; start = -8 * (sum of the 32 bytes)
//   f32   a unit: float [rows][64]
enum { BLOCK = 32, INT8_BLOCK_BYTES = 40, F32_UNIT_BYTES = 256 };

// Rows are shared out over as few tiles as possible, all nearly equal.
static inline int tile_count(int rows, int max) { return (rows + max - 1) / max; }
static inline int tile_start(int rows, int max, int tile) { return (int)((int64_t)rows * tile / tile_count(rows, max)); }
// The tile that has this row.
static inline int tile_of(int rows, int max, int row) {
  int tile = (int)((int64_t)row * tile_count(rows, max) / rows);
  while (tile_start(rows, max, tile + 1) <= row) tile++;
  return tile;
}

// Flags of a product.
enum {
  GOES_ON = 1,     // add to what `out` has; otherwise start from zero
  FROM_MEMORY = 2, // the weights are not in a cache yet: fetch them ahead
};
