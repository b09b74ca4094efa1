/**
 * llama.cpp's CPU kernels for quantised weights take so many tokens of a batch at a time; of what remains, each reads all
 * weights again (measured on 6B q4_0: 226 ms for 3 and 173 for 4, 382 for 7 and 299 for 8).
 */
export const KERNEL_TOKENS = 4;
