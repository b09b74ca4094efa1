import { RECIPES, type Recipe } from '@gptj-cloud/checkpoint';
import { ENGINE_KINDS, type EngineKind, remoteBase, type SpawnEngineOptions } from '@gptj-cloud/engine';
import type { z } from 'zod';
import { ConfigError } from '../config-error.ts';
import { type ModelEntry, readModelEntry } from './model-entry.ts';
import { choiceSetting, integerSetting, listSetting, setting, textSetting } from './setting.ts';

/** The size of the engine, and limits of time for its process and what waits for it. */
/** 0 means that the server decides. */
const AUTOMATIC = { fallback: 0, min: 0 } as const;

export const engineSettings = {
  GPTJ_MODELS: listSetting<ModelEntry>({
    group: 'Serving',
    help: 'several models, separated by commas: each as in `GPTJ_MODEL`, or `embedded`, the one that ships; `NAME=…` gives it a name of its own. They are loaded when they are asked for and share `MODEL_MEMORY_MB`. Requests that name none get `GPTJ_MODEL`, or the first of them',
    shownDefault: '`GPTJ_MODEL` alone',
    read: readModelEntry,
    expected: 'names, files or folders, separated by commas, each perhaps with NAME= before it',
    option: { name: 'models', value: 'LIST' },
  }),
  MODEL_MEMORY_MB: integerSetting({
    group: 'Serving',
    help: 'memory of all loaded models of `GPTJ_MODELS` together, in MB; 0: what is free at the start. Models that are idle make room for others, the least recently used first',
    ...AUTOMATIC,
    max: 2 ** 30,
    option: { name: 'model-memory-mb', value: 'N' },
  }),
  GPTJ_MODEL_TYPE: choiceSetting<Recipe>({
    group: 'Serving',
    help: 'type of the weights of a checkpoint that is converted: `f32`, `f16`, `bf16`, `q8_0`, `q6_K`, `q5_K_M`, `q4_K_M` or `q4_0`',
    fallback: 'q8_0',
    names: RECIPES,
  }),
  GPTJ_ENGINE: setting<EngineKind | 'auto' | 'none' | URL, 'auto'>({
    group: 'Serving',
    help: "what computes the model: `kernels`, this project's own for CPUs; `llama`, llama.cpp, also on GPUs; `reference`, slow and exact; `auto`: llama.cpp where it has a GPU or the kernels cannot run the model, else the kernels; `openai=URL`: a completions server, see [scale-out](scale-out.md); `none`: nothing, this server answers the API and `gptj worker` computes, on one PostgreSQL",
    fallback: 'auto',
    shownDefault: '`auto`',
    read: readEngine,
    expected: `auto, ${ENGINE_KINDS.join(', ')}, none or openai=URL with an http(s) address without password, query and fragment`,
    option: { name: 'engine', value: 'NAME|openai=URL' },
  }),
  GPTJ_DRAFT_MODEL: textSetting({
    group: 'Serving',
    help: 'a small model with the same vocabulary: a GGUF file, the name of a pulled model, or `embedded`, the one that ships. It guesses tokens that the model then verifies: the same texts, sooner where it often guesses right',
    fallback: null,
    shownDefault: 'none',
    option: { name: 'draft-model', value: 'NAME|FILE' },
  }),
  ENGINE_THREADS: integerSetting({
    group: 'Serving',
    help: 'threads that compute; 0: one for each core that the process may use',
    ...AUTOMATIC,
    max: 1024,
    option: { name: 'threads', short: 't', value: 'N' },
  }),
  ENGINE_CONTEXT: integerSetting({
    group: 'Serving',
    help: 'longest text in tokens, prompt included; 0: as long as the model allows',
    ...AUTOMATIC,
    max: 1_000_000,
    option: { name: 'context', short: 'c', value: 'N' },
  }),
  ENGINE_CACHE_TOKENS: integerSetting({
    group: 'Serving',
    help: 'tokens of all texts under way and remembered together, in the KV cache; 0: as many as fit well',
    ...AUTOMATIC,
    max: 100_000_000,
    option: { name: 'cache-tokens', value: 'N' },
  }),
  ENGINE_CACHE_MB: integerSetting({
    group: 'Serving',
    help: 'the same in MiB; one of the two',
    ...AUTOMATIC,
    max: 2 ** 24,
    option: { name: 'cache-mb', value: 'N' },
  }),
  ENGINE_GPU_LAYERS: setting({
    group: 'Serving',
    help: 'layers of the model on the GPU, where llama.cpp has one; `all` or a number, 0 for none',
    fallback: null,
    shownDefault: '`all`',
    read: (text) => (text === 'all' ? null : /^\d{1,4}$/.test(text) ? Number(text) : undefined),
    expected: 'all or a number of layers',
    option: { name: 'gpu-layers', value: 'N' },
  }),
  ENGINE_MEMORY_CHECK: setting({
    group: 'Serving',
    help: '`on` or `off`; `off` loads a model also when it does not fit into the free memory',
    fallback: true,
    shownDefault: '`on`',
    read: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
    expected: 'on or off',
  }),
  MAX_QUEUE_SECONDS: integerSetting({
    group: 'Serving',
    help: 'longest time that a direct generation waits for the model before it is refused with 503; 0: no limit. Runs wait in the store instead',
    fallback: 600,
    min: 0,
    max: 86_400,
  }),
  ENGINE_STALL_SECONDS: integerSetting({
    group: 'Serving',
    help: 'longest silence of the engine, or of one step of a generation (half of it where the step uses the processor throughout); the engine is then killed and restarted, and the generation at fault fails with `generation_stalled`',
    fallback: 10,
    min: 1,
    max: 3600,
  }),
  ENGINE_EVALUATION_SECONDS: integerSetting({
    group: 'Serving',
    help: 'longest evaluation of one batch by the model; the engine is then killed and restarted',
    fallback: 600,
    min: 1,
    max: 86_400,
  }),
} as const;

const REMOTE = 'openai=';

/** The name of an engine, or the base of a server. */
function readEngine(text: string): EngineKind | 'auto' | 'none' | URL | undefined {
  if (text.startsWith(REMOTE)) return remoteBase(text.slice(REMOTE.length)) ?? undefined;
  return text === 'auto' || text === 'none' ? text : ENGINE_KINDS.find((kind) => kind === text);
}

function isOwnEngine(engine: EngineKind | 'auto' | 'none' | URL): engine is EngineKind {
  return typeof engine === 'string' && engine !== 'auto' && engine !== 'none';
}

type EngineSettings = { readonly [Name in keyof typeof engineSettings]: z.output<(typeof engineSettings)[Name]> };

/** How the engine is opened. */
export type EngineSize = Pick<
  SpawnEngineOptions,
  'kind' | 'threads' | 'contextLength' | 'cacheCells' | 'cacheBytes' | 'gpuLayers' | 'checksMemory'
>;

/** What the settings decide about the size of the engine; what they leave out, the engine decides. */
export function parseEngineSize(settings: EngineSettings): EngineSize {
  const { ENGINE_CACHE_TOKENS: cacheCells, ENGINE_CACHE_MB: cacheMb, ENGINE_CONTEXT: contextLength } = settings;
  if (cacheCells > 0 && cacheMb > 0) {
    throw new ConfigError('ENGINE_CACHE_MB: expected nothing beside ENGINE_CACHE_TOKENS; leave one of them out');
  }
  return {
    checksMemory: settings.ENGINE_MEMORY_CHECK,
    ...(isOwnEngine(settings.GPTJ_ENGINE) ? { kind: settings.GPTJ_ENGINE } : {}),
    ...(settings.ENGINE_THREADS === 0 ? {} : { threads: settings.ENGINE_THREADS }),
    ...(contextLength === 0 ? {} : { contextLength }),
    ...(cacheCells === 0 ? {} : { cacheCells }),
    ...(cacheMb === 0 ? {} : { cacheBytes: cacheMb * 2 ** 20 }),
    ...(settings.ENGINE_GPU_LAYERS === null ? {} : { gpuLayers: settings.ENGINE_GPU_LAYERS }),
  };
}
