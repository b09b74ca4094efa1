/**
 * The weights of one model file, packed for the kernels, and the models that compute with them. Models share weights and
 * threads; each has a KV cache of its own.
 */
import {
  type InstructionSet,
  instructionSetsUpTo,
  loadKernels,
  loweredOf,
  type PackedAdapter,
  packAdapter,
  packWeights,
  startThreads,
  workingSet,
} from '@gptj-cloud/kernels';
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import { type AdapterFile, adapterId } from '../adapters/adapter-file.ts';
import type { AdapterShelf } from '../adapters/live-adapters.ts';
import { readAdapters } from '../adapters/read-adapters.ts';
import { WRONG_RESULTS } from '../engine-choice.ts';
import { usableCores } from '../machine/usable-cores.ts';
import { KernelModel } from './kernel-model.ts';

export interface KernelWeightsOptions {
  /** A GGUF file with GPT-J in the phi2 layout, as `gptj convert` writes it. */
  readonly path: string;
  /** The configuration from the file's metadata, perhaps with a shorter context. */
  readonly config: GptjConfig;
  /** Adapters that sequences may use. Default: none. */
  readonly adapters?: readonly AdapterFile[];
  /** Default: one per core that it may use. */
  readonly threads?: number;
  /** Limit of the threads where `threads` is absent. */
  readonly maxThreads?: number;
  /** Default: the fastest that computes right results. */
  readonly set?: InstructionSet;
  /** Called with the share of the weights that is loaded, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export interface KernelWeights {
  /** Why an adapter is not loaded, one line each. */
  readonly warnings: readonly string[];
  readonly shelf: AdapterShelf;
  /** Storage of the large weights: `Q4_0`, `F16`, … */
  readonly quantisation: string;
  /** A model with an empty cache. Throws `out_of_memory`. */
  openModel(cache: { readonly cells: number; readonly type: 'f16' | 'f32' }): KernelModel;
  /** Release the weights, after every model is closed. Idempotent. */
  close(): void;
}

/** Load weights. Throws `library_missing`, `library_unknown`, `unsupported`, `out_of_memory`, and `CheckpointError`s. */
export async function openKernelWeights(options: KernelWeightsOptions): Promise<KernelWeights> {
  const { path, config } = options;
  const library = loadKernels();
  const { set = await workingSet(library) } = options;
  const sets = instructionSetsUpTo(library.fastest);
  if (set === 'none') throw new ModelError('unsupported', WRONG_RESULTS);
  if (!sets.includes(set)) {
    throw new ModelError(
      'unsupported',
      `expected one of this processor's instruction sets (${sets.join(', ')}), got ${set}`,
    );
  }
  const adapters = new Map<string, PackedAdapter>();
  const freeAdapters = (): void => {
    for (const adapter of adapters.values()) adapter.free();
  };
  /** At first. */
  const first: AdapterFile[] = [];
  const pack = (files: readonly AdapterFile[]): Promise<readonly string[]> =>
    readAdapters(files, config, 'exported', (file, { layers }) => {
      adapters.set(adapterId(file), packAdapter(config, layers));
      first.push(file);
    });
  const load = async () => {
    const warnings = await pack(options.adapters ?? []);
    const lowered = loweredOf([...adapters.values()]);
    const { onProgress = () => {} } = options;
    const weights = await packWeights(library, path, config.contextLength, { lowered, onProgress });
    return { weights, warnings };
  };
  const { weights, warnings } = await load().catch((error: unknown) => {
    freeAdapters();
    throw error;
  });
  const pool = startThreads(
    library,
    options.threads ?? Math.min(options.maxThreads ?? Number.POSITIVE_INFINITY, usableCores()),
  );
  return {
    warnings,
    shelf: {
      first: [...first],
      async load(file) {
        const left = await pack([file]);
        weights.allowLowered(loweredOf([...adapters.values()]));
        return left;
      },
      unload(id) {
        adapters.get(id)?.free();
        adapters.delete(id);
      },
    },
    quantisation: weights.type.toUpperCase(),
    openModel: ({ cells, type }) =>
      new KernelModel({
        library,
        set,
        weights,
        adapters,
        pool,
        cacheCells: cells,
        cacheType: type,
      }),
    close() {
      pool.close();
      weights.free();
      freeAdapters();
    },
  };
}
