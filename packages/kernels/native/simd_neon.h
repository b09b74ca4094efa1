// Sixteen lanes of float32, on NEON: four registers of four. Same operations and bits as simd_avx512.h.
#pragma once
#include <arm_neon.h>
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
#define SET_NAME(name) name##_neon

typedef struct {
  float32x4_t q[4]; // lanes 0..3, 4..7, 8..11, 12..15
} v16;

#define EACH_QUARTER(expression) \
  v16 result_; \
  UNROLL for (int i = 0; i < 4; i++) result_.q[i] = (expression); \
  return result_

INLINE float32x4_t four_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
INLINE float32x4_t four_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }

INLINE v16 v_set(float x) { EACH_QUARTER(vdupq_n_f32(x)); }
INLINE v16 v_load(const float *p) { EACH_QUARTER(vld1q_f32(p + 4 * i)); }
INLINE void v_store(float *p, v16 x) { UNROLL for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, x.q[i]); }
INLINE v16 v_load_f16(const uint16_t *p) { EACH_QUARTER(four_f16(p + 4 * i)); }
INLINE void v_store_f16(uint16_t *p, v16 x) {
  UNROLL for (int i = 0; i < 4; i++) vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(x.q[i])));
}
INLINE v16 v_load_bf16(const uint16_t *p) { EACH_QUARTER(four_bf16(p + 4 * i)); }
INLINE v16 v_add(v16 x, v16 y) { EACH_QUARTER(vaddq_f32(x.q[i], y.q[i])); }
INLINE v16 v_sub(v16 x, v16 y) { EACH_QUARTER(vsubq_f32(x.q[i], y.q[i])); }
INLINE v16 v_mul(v16 x, v16 y) { EACH_QUARTER(vmulq_f32(x.q[i], y.q[i])); }
INLINE v16 v_div(v16 x, v16 y) { EACH_QUARTER(vdivq_f32(x.q[i], y.q[i])); }
INLINE v16 v_max(v16 x, v16 y) { EACH_QUARTER(vmaxq_f32(x.q[i], y.q[i])); }
INLINE v16 v_min(v16 x, v16 y) { EACH_QUARTER(vminq_f32(x.q[i], y.q[i])); }
INLINE v16 v_abs(v16 x) { EACH_QUARTER(vabsq_f32(x.q[i])); }
INLINE v16 v_fma(v16 x, v16 y, v16 z) { EACH_QUARTER(vfmaq_f32(z.q[i], x.q[i], y.q[i])); }
INLINE v16 v_round(v16 x) { EACH_QUARTER(vrndnq_f32(x.q[i])); }
INLINE v16 v_scale(v16 x, v16 n) {
  EACH_QUARTER(vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(x.q[i]), vshlq_n_s32(vcvtnq_s32_f32(n.q[i]), 23))));
}
INLINE float v_max_of(v16 x) { return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.q[0], x.q[1]), vmaxq_f32(x.q[2], x.q[3]))); }

// The first two levels of the tree (i, i+8), (i, i+4), (i, i+2), (i, i+1).
INLINE float32x4_t four_of_16(v16 x) { return vaddq_f32(vaddq_f32(x.q[0], x.q[2]), vaddq_f32(x.q[1], x.q[3])); }
INLINE float v_sum(v16 x) {
  const float32x4_t four = four_of_16(x);
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
// The third level of two trees.
INLINE float32x4_t two_of_4(float32x4_t x, float32x4_t y) {
  const float64x2_t a = vreinterpretq_f64_f32(x), b = vreinterpretq_f64_f32(y);
  return vaddq_f32(vreinterpretq_f32_f64(vzip1q_f64(a, b)), vreinterpretq_f32_f64(vzip2q_f64(a, b)));
}
// v_sum of sixteen vectors, in order.
INLINE v16 v_sums(const v16 x[16]) {
  EACH_QUARTER(vpaddq_f32(two_of_4(four_of_16(x[4 * i]), four_of_16(x[4 * i + 1])),
                          two_of_4(four_of_16(x[4 * i + 2]), four_of_16(x[4 * i + 3]))));
}

INLINE int32_t v_to_int8(const float *x, float scale, int8_t *q) {
  int16x8_t v[4];
  UNROLL for (int i = 0; i < 4; i++) {
    const int32x4_t low = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 8 * i), scale));
    const int32x4_t high = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 8 * i + 4), scale));
    v[i] = vcombine_s16(vqmovn_s32(low), vqmovn_s32(high));
  }
  UNROLL for (int i = 0; i < 2; i++) vst1q_s8(q + 16 * i, vcombine_s8(vqmovn_s16(v[2 * i]), vqmovn_s16(v[2 * i + 1])));
  return vaddlvq_s16(vaddq_s16(vaddq_s16(v[0], v[1]), vaddq_s16(v[2], v[3])));
}
INLINE void v_prefetch(const void *p) { __builtin_prefetch(p); }
