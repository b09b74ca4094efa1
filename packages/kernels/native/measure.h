// What `npm run bench -- kernels` measures beside products: the multiplier and the memory of the moment. A product is
// then a share of what the machine could do in the same second.
#pragma once
#include "functions.h"
#include "pool.h"

typedef struct {
  const measurement *m;
  activations x;
} measured;

// Eight-bit products from registers, as many as the unit can start. Returns products a loop.
static int64_t multiplier_loop(int64_t loops) {
#if defined(TILES_OF_16)
  __m512i sum[12];
  const __m512i w = _mm512_set1_epi8(1);
  static const int32_t ones = 0x01010101;
  for (int i = 0; i < 12; i++) sum[i] = _mm512_setzero_si512();
  for (int64_t n = 0; n < loops; n++) UNROLL for (int i = 0; i < 12; i++) sum[i] = dot4(sum[i], w, &ones);
  __m512i all = sum[0];
  for (int i = 1; i < 12; i++) all = _mm512_add_epi32(all, sum[i]);
  __asm__ volatile("" ::"v"(all));
  return 12 * 64;
#elif defined(__AVX2__)
  __m256i sum[12], w = _mm256_set1_epi8(1), x = w;
  for (int i = 0; i < 12; i++) sum[i] = _mm256_setzero_si256();
  // The multiplier alone: sums that nothing adds to.
  for (int64_t n = 0; n < loops; n++) UNROLL for (int i = 0; i < 12; i++) __asm__ volatile("vpmaddubsw %1, %2, %0" : "=x"(sum[i]) : "x"(x), "x"(w));
  return 12 * 32;
#else
  int32x4_t sum[12];
  const int8x16_t w = vdupq_n_s8(1);
  for (int i = 0; i < 12; i++) sum[i] = vdupq_n_s32(0);
  for (int64_t n = 0; n < loops; n++) UNROLL for (int i = 0; i < 12; i++) __asm__ volatile("sdot %0.4s, %1.16b, %1.16b" : "+w"(sum[i]) : "w"(w));
  return 12 * 16;
#endif
}

static void read_loop(const uint8_t *from, int64_t bytes) {
  v16 sum[4];
  for (int i = 0; i < 4; i++) sum[i] = v_set(0);
  for (int64_t at = 0; at + 256 <= bytes; at += 256) {
    UNROLL for (int i = 0; i < 4; i++) {
      v_prefetch(from + at + 64 * i + 4096);
      sum[i] = v_max(sum[i], v_load((const float *)(from + at + 64 * i)));
    }
  }
  float sink[16];
  v_store(sink, v_max(v_max(sum[0], sum[1]), v_max(sum[2], sum[3])));
  __asm__ volatile("" ::"r"(sink) : "memory");
}

// Items are threads, or super-rows of a product.
static void measure_item(void *job, const phase *of, int64_t item, int thread, cursor *place) {
  (void)of, (void)thread, (void)place;
  measured *r = job;
  const measurement *m = r->m;
  if (m->what == MEASURE_MULTIPLIER) multiplier_loop(m->loops);
  else if (m->what == MEASURE_READ) {
    const int64_t share = m->bytes / m->threads / 256 * 256;
    read_loop(m->memory + share * item, share);
  } else {
    const int64_t size = GROUPS_OF_SUPER_ROW, left = m->matrix.groups - item * size, groups = left < size ? left : size;
    multiply(&m->matrix, item * size, groups, &r->x, m->out + item * size * ROWS_OF_GROUP, m->matrix.groups * ROWS_OF_GROUP, 0);
  }
}

// See gptj_measure in library.c.
int64_t SET_NAME(measure)(const measurement *m) {
  measured r = {m, {0, 0, (int)m->rows, m->matrix.units}};
  phase only = {0};
  plan of = {.phases = &only};
  if (m->what == MEASURE_PRODUCT) {
    if (is_quantised(m->matrix.type)) r.x.int8 = m->memory;
    else r.x.f32 = (float *)m->memory;
    if (m->x) for (int64_t i = 0; i < m->rows; i++) put_row(&r.x, (int)i, m->x + i * m->matrix.units * COLUMNS_OF_UNIT);
  }
  plan_begin(m->pool, &of, measure_item, &r);
  plan_add(m->pool, &of, 0, 0, m->what == MEASURE_PRODUCT ? (m->matrix.groups + GROUPS_OF_SUPER_ROW - 1) / GROUPS_OF_SUPER_ROW : m->threads);
  pool_run(m->pool, &of, (int)m->threads);
  pool_rest(m->pool);
  return m->what == MEASURE_MULTIPLIER ? multiplier_loop(0) * m->threads : 0;
}
