// The library's functions, which TypeScript calls, and the choice of the instruction set.
#include "pool.h"
#include "sets.h"

// Words of each struct of abi.h, for src/layout.ts to compare.
GPTJ_EXPORT int64_t gptj_struct_words(int64_t which) {
  const size_t bytes[] = {sizeof(matrix), sizeof(layer), sizeof(model), sizeof(sequence), sizeof(output), sizeof(step), sizeof(pack), sizeof(services), sizeof(measurement), sizeof(adapter_layer), sizeof(adapter_use)};
  return which >= 0 && which < (int64_t)(sizeof bytes / sizeof *bytes) ? (int64_t)(bytes[which] / 8) : -1;
}

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t enabled_states(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

// The fastest instruction set that the processor has and the system saves.
GPTJ_EXPORT int64_t gptj_instruction_set(int64_t capabilities) {
  (void)capabilities; // of arm64
  unsigned a, b, c, d, b7, c7;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return NO_SET;
  const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
  if ((c & (fma | osxsave | avx | f16c)) != (fma | osxsave | avx | f16c)) return NO_SET;
  const uint64_t states = enabled_states();
  if ((states & 0x06) != 0x06 || !__get_cpuid_count(7, 0, &a, &b7, &c7, &d)) return NO_SET;
  if (!(b7 >> 5 & 1)) return NO_SET; // AVX2
  const unsigned f = b7 >> 16 & 1, dq = b7 >> 17 & 1, bw = b7 >> 30 & 1, vl = b7 >> 31 & 1, vnni = c7 >> 11 & 1;
  return f && dq && bw && vl && vnni && (states & 0xe6) == 0xe6 ? AVX512 : AVX2;
}
#elif defined(__linux__)
enum { HWCAP_ASIMDDP = 1 << 20 };
// `capabilities` is AT_HWCAP of getauxval(3): the instructions that the processor has and the kernel saves. Registers of the
// processor say the same, but older kernels refuse to read them.
GPTJ_EXPORT int64_t gptj_instruction_set(int64_t capabilities) { return capabilities & HWCAP_ASIMDDP ? NEON : NO_SET; }
#else
// Every arm64 machine of Apple has the dot product instructions.
GPTJ_EXPORT int64_t gptj_instruction_set(int64_t capabilities) {
  (void)capabilities;
  return NEON;
}
#endif

// Bytes of memory that a step of this model needs.
GPTJ_EXPORT int64_t gptj_step_bytes(const model *m, int64_t threads, int64_t set) {
#if defined(__x86_64__)
  return set == AVX512 ? step_bytes_avx512(m, threads) : step_bytes_avx2(m, threads);
#else
  (void)set;
  return step_bytes_neon(m, threads);
#endif
}

// Computes a step on this thread and threads of the pool. Returns STEP_DONE, or STEP_ABORTED: then outputs and the new
// cells have undefined contents.
GPTJ_EXPORT int64_t gptj_step(const step *s) {
  if (s->rows < 1 || s->rows > MAX_ROWS || s->threads < 1 || s->threads > MAX_THREADS) return STEP_INVALID;
  if (s->outputs < 0 || s->outputs > MAX_ROWS * (1 + s->model->layers)) return STEP_INVALID;
#if defined(__x86_64__)
  return s->set == AVX512 ? run_step_avx512(s) : run_step_avx2(s);
#else
  return run_step_neon(s);
#endif
}

// Runs a loop that measures the machine, or one product. Returns the products of one loop of the multiplier, else 0.
GPTJ_EXPORT int64_t gptj_measure(const measurement *m) {
#if defined(__x86_64__)
  return m->set == AVX512 ? measure_avx512(m) : measure_avx2(m);
#else
  return measure_neon(m);
#endif
}

// Index of the largest of `count` logits, the lowest of equal ones, NaN ignored; -1 when all are -inf.
GPTJ_EXPORT int64_t gptj_argmax(const float *logits, int64_t count, int64_t set) {
#if defined(__x86_64__)
  return set == AVX512 ? argmax_avx512(logits, count) : argmax_avx2(logits, count);
#else
  (void)set;
  return argmax_neon(logits, count);
#endif
}

#if !__STDC_HOSTED__
// Compilers emit calls of these two, and this library links with no other.
__attribute__((no_builtin, visibility("hidden"))) void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}
__attribute__((no_builtin, visibility("hidden"))) void *memset(void *to, int value, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint8_t *)to)[i] = (uint8_t)value;
  return to;
}
#endif
