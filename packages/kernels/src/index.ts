export { type AdapterUses, adapterUses, KernelContext, type Output } from './kernel-context.ts';
export { MAX_ROWS } from './layout.ts';
export {
  type InstructionSet,
  instructionSetsUpTo,
  type KernelLibrary,
  loadKernels,
  STEP_ABORTED,
  STEP_DONE,
} from './library.ts';
export { Measurements, type ProductShape } from './measure.ts';
export { loweredOf, type PackedAdapter, packAdapter } from './packed-adapter.ts';
export { type PackedWeights, packWeights, unsupportedType } from './packed-weights.ts';
export { workingSet } from './self-test.ts';
export { addressOf } from './system.ts';
export { startThreads, type ThreadPool } from './thread-pool.ts';
