/**
 * llama.cpp's CPU kernels for quantised weights compute this many tokens of a batch at a time. Each of the remaining tokens
 * reads all weights again (measured on 6B q4_0: 226 ms for 3 tokens and 173 ms for 4, 382 ms for 7 and 299 ms for 8).
 */
export const KERNEL_TOKENS = 4;
