// What TypeScript and C share. Every field is a word of eight bytes, so that TypeScript writes a struct as a row of 64-bit
// words (src/layout.ts has the same order; gptj_abi() lets it check that). No function here allocates or frees: all
// memory comes from the caller, who frees it after the last call.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define GPTJ_EXPORT __attribute__((dllexport, used))
#else
#define GPTJ_EXPORT __attribute__((visibility("default"), used))
#endif

// How weights are stored. The numbers are ggml's (enum ggml_type).
enum weight_type { F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8, Q4_K = 12, Q5_K = 13, Q6_K = 14, BF16 = 30 };

// Instruction sets, slowest first. A machine may have several; the results are the same bits on each.
enum instruction_set { NO_SET = 0, NEON = 1, AVX2 = 2, AVX512 = 3 };

// A matrix [16 * groups, 64 * units], packed as format.h says. Rows and columns that the model does not have are zero.
typedef struct {
  const uint8_t *weights;
  int64_t type;   // enum weight_type
  int64_t groups; // of 16 rows; a multiple of 4
  int64_t units;  // of 64 columns
} matrix;

// One block. Vectors are padded with zeros to the rows of the matrix that they follow.
typedef struct {
  const float *norm_weight, *norm_bias;
  matrix query, key, value, attention_out, mlp_in, mlp_out;
  const float *mlp_in_bias, *mlp_out_bias;
} layer;

typedef struct {
  int64_t layers, width, heads, rotary, hidden, vocabulary, context;
  double epsilon;
  const layer *layer;
  const float *norm_weight, *norm_bias;
  matrix head;
  const float *head_bias;
  const uint8_t *embedding; // rows as in the GGUF file
  int64_t embedding_type, embedding_row_bytes;
  const float *rotation; // [context][rotary]: cosines of rotary/2 angles, then their sines
  int64_t lowered; // ranks of the adapters of one row, each padded to 16, at most; 0: no step has adapters
} model;

// What an adapter (LoRA) adds to one matrix: W x + up (down x). Rows and columns that the model does not have are zero.
typedef struct {
  const float *down; // [rank padded to 16, / 16][64 * units of the matrix][16]
  const float *up;   // [groups of the matrix][rank][16]
  int64_t rank;      // 0: it leaves this matrix alone
} low_rank;

// The matrices of one layer: first those that read norm(x).
enum { QUERY = 0, KEY = 1, VALUE = 2, MLP_IN = 3, ATTENTION_OUT = 4, MLP_OUT = 5, TARGETS = 6, OF_NORM = 4 };
typedef struct {
  low_rank target[TARGETS];
} adapter_layer;

// An adapter as one sequence uses it.
typedef struct {
  const adapter_layer *layer;
  double scale;
} adapter_use;

// Tokens that a step appends to one sequence.
typedef struct {
  int64_t first_row, rows; // of the step
  int64_t position;        // of the first row in the sequence
  const uint32_t *cells;   // cell of every position of the sequence, the appended ones included
  int64_t adapters;
  const adapter_use *adapter;
} sequence;

// One row of logits to compute.
typedef struct {
  int64_t row;   // of the step
  int64_t layer; // -1: after the final norm; otherwise the residual stream before this block (early exit)
  float *logits; // [vocabulary]
  float *hidden; // [width] after the final norm, or null
} output;

typedef struct {
  const model *model;
  uint8_t *keys, *values; // [layers][heads][cells][head size, padded to 16]
  int64_t cells;
  int64_t wide; // 0: keys and values are f16, 1: f32
  uint8_t *memory; // of gptj_step_bytes(), at a multiple of 64, zeroed before the first step
  int64_t set;     // enum instruction_set
  void *pool;
  int64_t threads;              // that compute, this one included
  const volatile uint8_t *abort; // not zero: stop soon
  int64_t rows;                  // 1 to MAX_ROWS
  const int32_t *tokens;         // [rows]
  int64_t sequences;
  const sequence *sequence;
  int64_t outputs;               // at most one a row and layer, and one a row of the last
  const output *output;
  float *exits; // [outputs][width padded to 64]: room for the rows that the head reads
} step;

// Rows of GGUF blocks to pack: groups first_group to first_group + groups - 1 of the matrix `into`.
typedef struct {
  const uint8_t *rows;  // the first of them is row 16 * first_group of the matrix
  int64_t row_count;    // rows at `rows`; the matrix's further rows of these groups are zero
  int64_t row_length;   // weights of a row; the matrix's further columns are zero
  int64_t first_group, groups;
  matrix into; // `weights` is written
} pack;

// One measurement, or one product alone.
enum { MEASURE_MULTIPLIER = 0, MEASURE_READ = 1, MEASURE_PRODUCT = 2 };
typedef struct {
  int64_t what, set, threads;
  void *pool;
  int64_t loops;  // of the multiplier
  uint8_t *memory; // to read, or room for the activations of a product
  int64_t bytes;  // to read
  matrix matrix;
  int64_t rows;
  const float *x; // [rows][64 * units]; null: what `memory` has from the last call
  float *out;     // [rows][16 * groups]
} measurement;

// Addresses of the system's functions that the pool needs.
typedef struct {
  int64_t system; // 0 Linux, 1 macOS, 2 Windows
  void *create, *join, *wait, *wake;
} services;

enum { MAX_ROWS = 128, MAX_THREADS = 256, ROWS_OF_GROUP = 16, COLUMNS_OF_UNIT = 64, GROUPS_OF_SUPER_ROW = 8 };
// Results of gptj_step.
enum { STEP_DONE = 0, STEP_ABORTED = 1, STEP_INVALID = 2 };
