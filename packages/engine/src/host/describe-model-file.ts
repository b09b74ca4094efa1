/** What serving a model file takes and offers, by the file's head: nothing of it is loaded. */
import { stat } from 'node:fs/promises';
import { openGgufWeights, openStoredWeights } from '@gptj-cloud/checkpoint';
import { unsupportedType } from '@gptj-cloud/kernels';
import { adapterBytes, adaptersFor } from '../adapters/adapter-file.ts';
import type { EngineInfo } from '../engine.ts';
import type { EngineKind } from '../engine-choice.ts';
import type { MachineMemory } from '../machine/machine-memory.ts';
import { planMemory } from '../machine/memory-plan.ts';
import { limitContext, type OpenModelOptions } from '../open-model.ts';

export interface ModelFileDescription {
  /** As the engine would describe it; `loadMs` is 0. */
  readonly info: EngineInfo;
  /** Memory that it takes while it is loaded, without the server. */
  readonly bytes: number;
}

export interface DescribeOptions {
  /** A loaded model of this server: the same engine computes both where it can. */
  readonly like: Pick<EngineInfo, 'kind' | 'backend'>;
  /** What the model may take. */
  readonly machine: MachineMemory;
}

/** The engine's process without its model. */
const PROCESS_BYTES = 100e6;

/**
 * Describe a model file as `openModel` with the same options would open it, with as much cache as `machine` allows.
 * Throws `CheckpointError` for a file that is not a GPT-J.
 */
export async function describeModelFile(
  options: Omit<OpenModelOptions, 'draftPath'>,
  { like, machine }: DescribeOptions,
): Promise<ModelFileDescription> {
  const { path, cacheType = 'f16', cacheCells, cacheBytes } = options;
  const file = await openGgufWeights(path);
  try {
    const config = limitContext(file.config, options.contextLength);
    const kind = options.kind ?? (await kindLike(path, like));
    const adapters = adaptersFor(config, options.adapters);
    const plan = planMemory({
      config,
      engine: kind === 'kernels' ? 'kernels' : 'llama',
      path,
      fileBytes: (await stat(path)).size,
      adapterBytes: await adapterBytes(adapters),
      ...(cacheCells === undefined ? {} : { cacheCells }),
      ...(cacheBytes === undefined ? {} : { cacheBytes }),
      bytesPerValue: cacheType === 'f16' ? 2 : 4,
      machine,
      refuses: false,
    });
    return {
      info: {
        kind,
        modelName: file.modelName,
        draftModelName: null,
        quantisation: await storedType(path),
        config,
        cacheCells: plan.cacheCells,
        backend: kind === 'llama' && like.kind === 'llama' ? like.backend : 'cpu',
        adapters: adapters.map(({ name }) => name),
        earlyExitLayers: kind === 'llama' ? null : config.layerCount,
        loadMs: 0,
      },
      bytes: plan.totalBytes - plan.programBytes + PROCESS_BYTES,
    };
  } finally {
    await file.close();
  }
}

/** The type of the large weights. */
async function storedType(path: string): Promise<string> {
  const stored = await openStoredWeights(path);
  try {
    const large = stored.tensors.find(({ name }) => name.endsWith('mlp.fc_in.weight'));
    return (large?.type ?? 'f32').toUpperCase();
  } finally {
    await stored.close();
  }
}

async function kindLike(path: string, { kind }: Pick<EngineInfo, 'kind'>): Promise<EngineKind> {
  return kind === 'llama' || (await unsupportedType(path)) !== null ? 'llama' : 'kernels';
}
