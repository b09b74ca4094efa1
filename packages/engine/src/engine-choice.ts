import { type KernelLibrary, loadKernels, unsupportedType, workingSet } from '@gptj-cloud/kernels';
import { ModelError } from '@gptj-cloud/model';
import { type BackendChoice, findBackend } from './llama/native.ts';

/**
 * Implementation of `LanguageModel`: this project's own kernels for CPUs, llama.cpp, or plain TypeScript in float32, which
 * is slow and the easiest to read.
 */
export type EngineKind = 'kernels' | 'llama' | 'reference';

export const ENGINE_KINDS: readonly EngineKind[] = ['kernels', 'llama', 'reference'];

export interface EngineChoice {
  readonly kind: EngineKind;
  /** Why the kernels do not compute this model on this machine, where that was not asked for; else null. */
  readonly reason: string | null;
  /** Why an installed GPU package is not used, where the kernels compute instead; llama.cpp reports its own. */
  readonly warnings: readonly string[];
}

/**
 * The engine for a model file where none is named: llama.cpp where it has a GPU for it, else the kernels where they have
 * the processor's instructions and the types of the weights, else llama.cpp.
 *
 * @param gpuLayers layers on a GPU; undefined: all
 * @param load throws `ModelError` where the system has no library
 */
export async function chooseEngine(
  path: string,
  gpuLayers: number | undefined,
  load: () => KernelLibrary = loadKernels,
): Promise<EngineChoice> {
  const { backend, warnings } = gpuLayers === 0 ? NO_GPU : findBackend();
  if (backend !== 'cpu') return { kind: 'llama', reason: null, warnings: [] };
  const reason = await whyNoKernels(path, load);
  return reason === null ? { kind: 'kernels', reason, warnings } : { kind: 'llama', reason, warnings: [] };
}

const NO_GPU: BackendChoice = { backend: 'cpu', warnings: [] };

/** The self-test of the kernels failed. */
export const WRONG_RESULTS = 'the kernels compute wrong results on this processor';

async function whyNoKernels(path: string, load: () => KernelLibrary): Promise<string | null> {
  try {
    const library = load();
    if (library.fastest === 'none') return `the processor has no ${process.arch === 'arm64' ? 'dot products' : 'AVX2'}`;
    if ((await workingSet(library)) === 'none') return WRONG_RESULTS;
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  const type = await unsupportedType(path);
  return type === null ? null : `the kernels have no ${type} weights`;
}
