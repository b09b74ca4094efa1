/**
 * The weights of one model file, packed for the kernels, and the models that compute with them. Models share weights and
 * threads; each has a KV cache of its own.
 */
import { type InstructionSet, loadKernels, packWeights, startThreads, workingSet } from '@gptj-cloud/kernels';
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import { WRONG_RESULTS } from '../engine-choice.ts';
import { FreeCores } from '../machine/free-cores.ts';
import { singleThreadMs, ThreadGovernor } from '../machine/thread-governor.ts';
import { usableCores } from '../machine/usable-cores.ts';
import { KernelModel } from './kernel-model.ts';

export interface KernelWeightsOptions {
  /** A GGUF file with GPT-J in the phi2 layout, as `gptj convert` writes it. */
  readonly path: string;
  /** The configuration from the file's metadata, perhaps with a shorter context. */
  readonly config: GptjConfig;
  /** Default: one per core that it may use, or fewer while other processes use them. */
  readonly threads?: number;
  /** Limit of the threads where `threads` is absent. */
  readonly maxThreads?: number;
  /** Default: the fastest that computes right results. */
  readonly set?: InstructionSet;
  /** Called with the share of the weights that is loaded, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export interface KernelWeights {
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
  if (set === 'none') throw new ModelError('unsupported', WRONG_RESULTS);
  // Loading takes long enough to count the free cores.
  const freeCores = new FreeCores({ now: () => performance.now() });
  const weights = await packWeights(library, path, config.contextLength, options.onProgress);
  const pool = startThreads(
    library,
    options.threads ?? Math.min(options.maxThreads ?? Number.POSITIVE_INFINITY, usableCores()),
  );
  const governor =
    options.threads === undefined
      ? new ThreadGovernor({
          maxThreads: pool.threads,
          now: () => performance.now(),
          freeCores: () => freeCores.estimate(),
          singleThreadMs: (tokens) => tokens * singleThreadMs(config),
        })
      : null;
  return {
    quantisation: weights.type.toUpperCase(),
    openModel: ({ cells, type }) =>
      new KernelModel({ library, set, weights, pool, cacheCells: cells, cacheType: type, governor }),
    close() {
      pool.close();
      weights.free();
    },
  };
}
