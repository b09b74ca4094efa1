// The functions of each instruction set; every set_*.c defines its own four.
#pragma once
#include "abi.h"

int64_t step_bytes_avx512(const model *m, int64_t threads);
int64_t run_step_avx512(const step *s);
int64_t measure_avx512(const measurement *m);
int64_t argmax_avx512(const float *logits, int64_t count);
int64_t step_bytes_avx2(const model *m, int64_t threads);
int64_t run_step_avx2(const step *s);
int64_t measure_avx2(const measurement *m);
int64_t argmax_avx2(const float *logits, int64_t count);
int64_t step_bytes_neon(const model *m, int64_t threads);
int64_t run_step_neon(const step *s);
int64_t measure_neon(const measurement *m);
int64_t argmax_neon(const float *logits, int64_t count);
