import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { openGgufWeights, type Weights } from '@gptj-cloud/checkpoint';
import { type InstructionSet, loadKernels } from '@gptj-cloud/kernels';
import { type AdapterLayer, type GptjConfig, type LanguageModel, ModelError } from '@gptj-cloud/model';
import { createTokenizer, type Tokenizer, type TokenizerData } from '@gptj-cloud/tokenizer';
import { type AdapterFile, adapterBytes, adapterId, adaptersFor } from './adapters/adapter-file.ts';
import type { AdapterShelf } from './adapters/live-adapters.ts';
import { readAdapters } from './adapters/read-adapters.ts';
import type { EngineInfo } from './engine.ts';
import { chooseEngine, type EngineKind } from './engine-choice.ts';
import { openKernelWeights } from './kernels/kernel-weights.ts';
import type { Backend } from './llama/find-library.ts';
import { openLlamaWeights } from './llama/llama-weights.ts';
import { loadLlama } from './llama/native.ts';
import { readMachineMemory } from './machine/machine-memory.ts';
import { isolatedCells, type MemoryPlan, type MemoryRequest, planMemory } from './machine/memory-plan.ts';
import { type DraftFile, MAX_DRAFT_THREADS, readDraftFile } from './open-draft-model.ts';
import { fingerprintModel } from './prefix-store/model-fingerprint.ts';
import { openPrefixStore, type PrefixStore } from './prefix-store/prefix-store.ts';
import { openReferenceModel } from './reference/reference-model.ts';

export interface OpenModelOptions {
  /** A GGUF file that `gptj convert` wrote. */
  readonly path: string;
  /** Default: `kernels` where they can run the model and no GPU does, else `llama`. */
  readonly kind?: EngineKind;
  /** Not for the reference. Default: one per core that it may use; llama.cpp uses fewer while other processes use them. */
  readonly threads?: number;
  /** Kernels only. Default: the fastest of this processor that computes right results. The results are the same bits. */
  readonly instructionSet?: InstructionSet;
  /** Not for the reference. Limit of the threads where `threads` is absent. */
  readonly maxThreads?: number;
  /** A GGUF file of a small model with the same vocabulary, which guesses what the model will generate. Default: none. */
  readonly draftPath?: string;
  /** Adapters that requests may choose. Those for models of other sizes are left out. Default: none. */
  readonly adapters?: readonly AdapterFile[];
  /** Positions of KV cache over all sequences. Default: see `planMemory`. */
  readonly cacheCells?: number;
  /** Not for the reference. The same in bytes, where `cacheCells` is absent. */
  readonly cacheBytes?: number;
  /** Longest text in tokens, at most what the model was trained for, which is the default. */
  readonly contextLength?: number;
  /** Not for the reference. Whether to refuse a model that does not fit into the memory. Default true. */
  readonly checksMemory?: boolean;
  /** Not for the reference. Default `f16`. */
  readonly cacheType?: 'f16' | 'f32';
  /** llama with a GPU library only. Default: all layers. */
  readonly gpuLayers?: number;
  /** Persist reused prefixes of prompts on disk. Default: they are lost with the process. */
  readonly persistedPrefixes?: {
    /** Folder used for prefixes only; created when it does not exist. */
    readonly folder: string;
    readonly maxBytes: number;
  };
}

/** Learns how the opening of a model proceeds. */
export interface OpenModelListener {
  /** Before anything is loaded; not for the reference. */
  onMemory?(plan: MemoryPlan): void;
  /** The share of the weights that is loaded, 0 to 1; not for the reference. */
  onProgress?(share: number): void;
}

export interface OpenModel {
  readonly model: LanguageModel;
  /** The draft model; null where there is none. Closed with the model. */
  readonly draft: LanguageModel | null;
  /**
   * Opens a second model over the same weights, with a small cache of its own, for requests that need results independent
   * of other requests. Null when the results of `model` never depend on other sequences.
   */
  readonly openIsolated: (() => LanguageModel) | null;
  /** Close the model and release its weights. Every call returns the same promise. */
  close(): Promise<void>;
  readonly tokenizer: Tokenizer;
  readonly info: EngineInfo;
  readonly shelf: AdapterShelf;
  /** Persists prefixes for the next process; null when none are persisted. */
  readonly prefixStore: PrefixStore | null;
  /** Warnings for the operator, one line each, such as the reason why a GPU is not used. */
  readonly warnings: readonly string[];
}

/** The tokenizer of a GGUF file, without its weights. */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  return createTokenizer(await readTokenizerData(path));
}

/** The vocabulary of a GGUF file, for a tokenizer in a process that does not have the file. */
export async function readTokenizerData(path: string): Promise<TokenizerData> {
  const file = await openGgufWeights(path);
  try {
    return file.tokenizer;
  } finally {
    await file.close();
  }
}

/** Opens tokenizers of GGUF files; files with the same vocabulary get the same one, which takes some ten megabytes. */
export function openTokenizers(): (path: string) => Promise<Tokenizer> {
  const opened: { readonly data: string; readonly tokenizer: Tokenizer }[] = [];
  return async (path) => {
    const file = await openGgufWeights(path);
    try {
      const data = createHash('sha256').update(JSON.stringify(file.tokenizer)).digest('hex');
      const known = opened.find((each) => each.data === data);
      if (known !== undefined) return known.tokenizer;
      const tokenizer = createTokenizer(file.tokenizer);
      opened.push({ data, tokenizer });
      return tokenizer;
    } finally {
      await file.close();
    }
  };
}

/** Load a model into this process. Throws the `ModelError`s of the engines, and `CheckpointError` for a file that is not a GPT-J. */
export async function openModel(options: OpenModelOptions, listener: OpenModelListener = {}): Promise<OpenModel> {
  const { path } = options;
  const startedAt = performance.now();
  const file = await openGgufWeights(path);
  try {
    const tokenizer = createTokenizer(file.tokenizer);
    const config = limitContext(file.config, options.contextLength);
    const {
      kind,
      reason,
      warnings: refusals,
    } = options.kind === undefined
      ? await chooseEngine(path, options.gpuLayers)
      : { kind: options.kind, reason: null, warnings: [] };
    const prefixStore = await openPrefixes(options, kind);
    const { draftPath } = options;
    const draftFile = draftPath === undefined ? null : await readDraftFile(draftPath, { path, weights: file });
    const { quantisation, backend, draftCells, ...opened } = await OPENERS[kind]({
      options: { ...options, adapters: adaptersFor(config, options.adapters) },
      config,
      listener,
      weights: file,
      draftFile,
    });
    const draft =
      draftFile === null || draftCells === 0 ? null : await openDraft(options, draftFile, draftCells, opened);
    const info: EngineInfo = {
      kind,
      modelName: file.modelName,
      draftModelName: draft?.info.modelName ?? null,
      quantisation,
      backend,
      config,
      cacheCells: opened.model.limits.cacheCells,
      adapters: opened.shelf.first.map(({ name }) => name),
      earlyExitLayers: opened.model.capabilities.earlyExit ? config.layerCount : null,
      loadMs: performance.now() - startedAt,
    };
    const warnings = [
      ...(reason === null ? [] : [`engine: llama.cpp (${reason})`]),
      ...refusals,
      ...opened.warnings,
      ...(draftFile === null || draft !== null ? [] : [`no memory is left for the draft model ${draftFile.path}`]),
    ];
    let closing: Promise<void> | null = null;
    return {
      ...opened,
      warnings,
      tokenizer,
      info,
      prefixStore,
      draft: draft?.model ?? null,
      close() {
        closing ??= Promise.all([opened.close(), draft?.close()]).then(() => {});
        return closing;
      },
    };
  } finally {
    await file.close();
  }
}

async function openPrefixes(options: OpenModelOptions, kind: EngineKind): Promise<PrefixStore | null> {
  const { path, cacheType = 'f16', persistedPrefixes } = options;
  if (persistedPrefixes === undefined) return null;
  const library = kind === 'llama' ? loadLlama().version : kind === 'kernels' ? loadKernels().sha256() : '';
  const model = await fingerprintModel(path, { kind, library, cacheType });
  try {
    return await openPrefixStore({ ...persistedPrefixes, model });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new ModelError(
      'invalid_config',
      `expected a folder for persisted prefixes that exists or can be created: ${reason}`,
      {
        cause,
      },
    );
  }
}

/** Open the draft model on the same engine as the model where it can. Closes the model when that fails. */
async function openDraft(
  { kind, threads, contextLength, cacheType, gpuLayers }: OpenModelOptions,
  { path }: DraftFile,
  cacheCells: number,
  model: Pick<OpenModel, 'close'>,
): Promise<OpenModel> {
  try {
    return await openModel({
      path,
      cacheCells,
      maxThreads: MAX_DRAFT_THREADS,
      // Its memory is in the plan of the model.
      checksMemory: false,
      ...(kind === undefined ? {} : { kind }),
      ...(threads === undefined ? {} : { threads: Math.min(threads, MAX_DRAFT_THREADS) }),
      ...(contextLength === undefined ? {} : { contextLength }),
      ...(cacheType === undefined ? {} : { cacheType }),
      ...(gpuLayers === undefined ? {} : { gpuLayers }),
    });
  } catch (error) {
    await model.close();
    throw error;
  }
}

type Opened = Pick<OpenModel, 'model' | 'openIsolated' | 'shelf' | 'close' | 'warnings'> &
  Pick<EngineInfo, 'quantisation' | 'backend'> & {
    /** Positions of the draft model's cache; 0: there is no memory for one. */
    readonly draftCells: number;
  };

/** A shorter context lets the cache be smaller, and takes nothing from the weights. */
export function limitContext(config: GptjConfig, contextLength: number = config.contextLength): GptjConfig {
  return { ...config, contextLength: Math.min(config.contextLength, contextLength) };
}

interface Opening {
  readonly options: OpenModelOptions;
  readonly config: GptjConfig;
  readonly listener: OpenModelListener;
  readonly weights: Weights;
  readonly draftFile: DraftFile | null;
}

type Opener = (opening: Opening) => Promise<Opened>;

const OPENERS: Readonly<Record<EngineKind, Opener>> = {
  kernels: openKernels,
  llama: openLlama,
  reference: openReference,
};

async function planFor(
  { options, config, draftFile }: Opening,
  engine: MemoryRequest['engine'],
  backend: Backend,
): Promise<MemoryPlan> {
  const { path, cacheCells, cacheBytes, cacheType = 'f16', checksMemory = true } = options;
  return planMemory({
    config,
    engine,
    path,
    fileBytes: (await stat(path)).size,
    adapterBytes: await adapterBytes(options.adapters ?? []),
    draft: draftFile,
    ...(cacheCells === undefined ? {} : { cacheCells }),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
    bytesPerValue: cacheType === 'f16' ? 2 : 4,
    machine: readMachineMemory(),
    refuses: checksMemory && backend === 'cpu',
  });
}

async function openKernels(opening: Opening): Promise<Opened> {
  const { options, config, listener } = opening;
  const plan = await planFor(opening, 'kernels', 'cpu');
  listener.onMemory?.(plan);
  const onProgress = listener.onProgress?.bind(listener);
  const weights = await openKernelWeights({
    ...options,
    config,
    ...(options.instructionSet === undefined ? {} : { set: options.instructionSet }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  try {
    const model = weights.openModel({ cells: plan.cacheCells, type: options.cacheType ?? 'f16' });
    let closing: Promise<void> | null = null;
    return {
      model,
      openIsolated: null,
      shelf: weights.shelf,
      draftCells: plan.draft?.cacheCells ?? 0,
      quantisation: weights.quantisation,
      backend: 'cpu',
      warnings: weights.warnings,
      close() {
        closing ??= model.close().then(() => weights.close());
        return closing;
      },
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

async function openLlama(opening: Opening): Promise<Opened> {
  const { options, config, listener } = opening;
  // A GPU has memory of its own, which llama.cpp alone knows.
  const backend = options.gpuLayers === 0 ? 'cpu' : loadLlama().backend;
  const plan = await planFor(opening, 'llama', backend);
  listener.onMemory?.(plan);
  const onProgress = listener.onProgress?.bind(listener);
  // llama.cpp reads the files itself: they are checked first.
  const adapters: AdapterFile[] = [];
  const left = await readAdapters(options.adapters ?? [], config, 'exported', (file) => adapters.push(file));
  const weights = openLlamaWeights({
    ...options,
    config,
    adapters,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  try {
    const { quantisation } = weights;
    const warnings = [...weights.warnings, ...left];
    const model = weights.openModel({ ...options, cacheCells: plan.cacheCells });
    let closing: Promise<void> | null = null;
    const openIsolated = (): LanguageModel =>
      weights.openModel({ ...options, cacheCells: isolatedCells(config, model.limits.cacheCells), exact: true });
    return {
      model,
      openIsolated,
      shelf: {
        first: adapters,
        load: (file) => readAdapters([file], config, 'exported', weights.loadAdapter),
        unload: weights.unloadAdapter,
      },
      draftCells: plan.draft?.cacheCells ?? 0,
      quantisation,
      backend,
      warnings,
      close() {
        closing ??= model.close().then(() => weights.close());
        return closing;
      },
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

async function openReference({ options, config, weights }: Opening): Promise<Opened> {
  const { cacheCells } = options;
  const adapters = new Map<string, readonly AdapterLayer[]>();
  const first: AdapterFile[] = [];
  const load = (files: readonly AdapterFile[]): Promise<readonly string[]> =>
    readAdapters(files, config, 'original', (file, { layers }) => {
      adapters.set(adapterId(file), layers);
      first.push(file);
    });
  const warnings = await load(options.adapters ?? []);
  const model = await openReferenceModel({ weights, adapters, ...(cacheCells === undefined ? {} : { cacheCells }) });
  const draftCells = cacheCells ?? config.contextLength;
  return {
    model,
    openIsolated: null,
    shelf: { first: [...first], load: (file) => load([file]), unload: (id) => void adapters.delete(id) },
    draftCells,
    quantisation: 'F32',
    backend: 'cpu',
    warnings,
    close: () => model.close(),
  };
}
