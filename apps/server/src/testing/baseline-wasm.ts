import { setFlagsFromString } from 'node:v8';

/**
 * Leave WebAssembly as V8 compiles it at first. Call it before a store is opened: to optimise the embedded PostgreSQL
 * takes a test file longer than it runs.
 */
export function keepBaselineWasm(): void {
  setFlagsFromString('--liftoff-only');
  // Most of its functions are never called.
  setFlagsFromString('--wasm-lazy-validation');
}
