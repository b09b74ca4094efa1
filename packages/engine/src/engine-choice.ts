import { loadKernels, unsupportedType } from '@gptj-cloud/kernels';
import { ModelError } from '@gptj-cloud/model';
import { findBackend } from './llama/native.ts';

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
}

/**
 * The engine for a model file where none is named: llama.cpp where it has a GPU for it, else the kernels where they have
 * the processor's instructions and the types of the weights, else llama.cpp.
 *
 * @param gpuLayers layers on a GPU; undefined: all
 */
export async function chooseEngine(path: string, gpuLayers: number | undefined): Promise<EngineChoice> {
  if (gpuLayers !== 0 && findBackend() !== 'cpu') return { kind: 'llama', reason: null };
  const reason = await whyNoKernels(path);
  return reason === null ? { kind: 'kernels', reason } : { kind: 'llama', reason };
}

async function whyNoKernels(path: string): Promise<string | null> {
  try {
    const { fastest } = loadKernels();
    if (fastest === 'none') return `the processor has no ${process.arch === 'arm64' ? 'dot products' : 'AVX2'}`;
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  const type = await unsupportedType(path);
  return type === null ? null : `the kernels have no ${type} weights`;
}
