/**
 * Opens the model that the settings name, or a host for several of which the first is loaded. Where the settings name one
 * alone, it is always loaded, and the host has those that owners add while the server runs.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  createModelHost,
  describeMemory,
  describeModelFile,
  type Engine,
  type EngineInfo,
  gigabytes,
  type HostedModel,
  type HostedStatus,
  type HostModel,
  type ModelHost,
  modelBudget,
  openTokenizer,
  openTokenizers,
  readMachineMemory,
  type SpawnEngineOptions,
} from '@gptj-cloud/engine';
import { ModelError } from '@gptj-cloud/model';
import { adaptersFolder, EMBEDDED_MODEL_NAME, listAdapters } from '@gptj-cloud/model-store';
import type { Tokenizer, TokenizerData } from '@gptj-cloud/tokenizer';
import type { ModelChoice } from '../config/model-entry.ts';
import type { ServerConfig } from '../config/parse-config.ts';
import { ConfigError } from '../config-error.ts';
import type { ModelSource } from '../generation/model-service.ts';
import { makeFolder } from '../store/make-folder.ts';
import type { Logger } from '../telemetry/logger.ts';
import { serverWork } from '../telemetry/work-meter.ts';
import { createLiveModels, type LiveModels } from './live-models.ts';
import { findDraftFile, findModelFile } from './model-file.ts';
import type { OpenedFile } from './model-uses.ts';
import { openRemote } from './open-remote.ts';
import type { StartDisplay } from './start-display.ts';

/** A model to serve: the engine that runs it, and its tokenizer. */
export interface ServedModel extends ModelSource {
  /** The file, from which worker threads read the tokenizer. Absent: all requests are read on the server's thread. */
  readonly path?: string;
  /** The same, where there is no file. */
  readonly vocabulary?: TokenizerData;
  /** The other models of the server. Default: none. */
  readonly others?: readonly ServedModel[];
  /** Owns the engines that are loaded on demand. Default: each owns itself. */
  readonly host?: Pick<ModelHost, 'close'>;
  /** Opens others while the server runs. Default: none can be opened. */
  readonly live?: LiveModels;
}

/** What the loading of a model reports to. */
export interface ModelStart {
  readonly logger: Logger;
  readonly print: (line: string) => void;
  readonly display: StartDisplay;
  readonly signal: AbortSignal | null;
  /** Called before files are loaded, which takes long: `gptj rm` must not delete them. */
  readonly onFiles?: (files: () => readonly OpenedFile[]) => Promise<void>;
}

/** Starts an engine. Throws `ModelError`. */
type Spawn = (options: SpawnEngineOptions) => Promise<Engine>;

/** Open what the settings name. Throws `ConfigError`, and what the engine throws for the model that is loaded. */
export async function openModels(config: ServerConfig, start: ModelStart, spawn: Spawn): Promise<ServedModel> {
  if (config.remoteEngine !== null) {
    return await openRemote(config, config.remoteEngine, start, (path) => openOwn(config, start, spawn, path));
  }
  if (config.models.length > 0) return await openHosted(config, start, spawn);
  const path = await findModelFile(config, start);
  const tokenizer = await openTokenizer(path);
  const engine = await openOwn(config, start, spawn, path);
  const first: ServedModel = { engine, tokenizer, path };
  const { logger } = start;
  const open = hostModels({ config, logger, options: await engineOptions(config, logger), spawn });
  const host = openHost([], config.modelMemoryBytes ?? modelBudget(readMachineMemory()), logger);
  const add = (model: FoundModel): ServedModel => toServed(host.add(open(model)), model);
  return { ...first, host, live: createLiveModels({ config, host, settled: [first], add }) };
}

/** Load a model file, showing the progress. */
async function openOwn(config: ServerConfig, start: ModelStart, spawn: Spawn, path: string): Promise<Engine> {
  const { logger, print, display } = start;
  const draftPath = await findDraftFile(config);
  await start.onFiles?.(() => [{ path, name: config.modelName ?? basename(path), isAdded: false }]);
  const size = await sizeOf(path);
  logger.info('loading the model', { file: path, bytes: size });
  const options = await engineOptions(config, logger);
  try {
    return await spawn({
      path,
      ...(draftPath === null ? {} : { draftPath }),
      ...options,
      ...(start.signal === null ? {} : { signal: start.signal }),
      onMemory: (plan) => print(describeMemory(plan)),
      onProgress: (share) => display.progress('loading', share * size, size, basename(path)),
    });
  } finally {
    display.clear();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => ({ size: 0 }))).size;
}

/** What the engines of all models have in common. */
async function engineOptions(config: ServerConfig, logger: Logger): Promise<Omit<SpawnEngineOptions, 'path'>> {
  const { dataDir, prefixCacheBytes } = config;
  const persistedPrefixes = { folder: join(dataDir, 'prefixes'), maxBytes: prefixCacheBytes };
  if (prefixCacheBytes > 0) await makeFolder(persistedPrefixes.folder, 0o700);
  return {
    ...config.engineSize,
    adapters: await listAdapters(adaptersFolder(dataDir)),
    ...(prefixCacheBytes === 0 ? {} : { persistedPrefixes }),
    stallMs: config.engineStallMs,
    evaluationMs: config.engineEvaluationMs,
    onWarning: (message) => logger.warn(message),
    onRestart: (reason) => logger.error('engine process ended; starting it again', { reason }),
  };
}

/** A model that is loaded on demand, before it is. */
export interface FoundModel {
  readonly name: string;
  readonly path: string;
  readonly tokenizer: Tokenizer;
  readonly info: EngineInfo;
  readonly bytes: number;
}

interface HostedOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  /** Of every engine. */
  readonly options: Omit<SpawnEngineOptions, 'path'>;
  readonly spawn: Spawn;
  /** Of one of them. Default: none. */
  readonly draftOf?: (model: FoundModel) => string | null;
  readonly onProgress?: (model: FoundModel, doneBytes: number, totalBytes: number) => void;
}

/** How a host loads a model. */
function hostModels(hosted: HostedOptions): (model: FoundModel) => HostModel {
  const { config, logger, options, spawn, draftOf = () => null, onProgress: report } = hosted;
  // What its process reports later is work of the server, whichever request was the first to ask for the model.
  const startEngine: Spawn = (each) => serverWork('models', () => spawn(each));
  return (model) => ({
    name: model.name,
    info: model.info,
    bytes: model.bytes,
    async open({ signal, onProgress }) {
      checkMemory(model, config);
      const size = await sizeOf(model.path);
      const draftPath = draftOf(model);
      const engine = await startEngine({
        path: model.path,
        ...(draftPath === null ? {} : { draftPath }),
        ...options,
        adapters: await listAdapters(adaptersFolder(config.dataDir)),
        cacheCells: model.info.cacheCells,
        // Checked above: the server's own memory is taken already.
        checksMemory: false,
        signal,
        onWarning: (message) => logger.warn(message, { model: model.name }),
        onRestart: (reason) => logger.error('engine process ended; starting it again', { model: model.name, reason }),
        onProgress(share) {
          onProgress(share);
          report?.(model, share * size, size);
        },
      });
      return withName(engine, model.name);
    },
  });
}

function openHost(models: readonly HostModel[], budgetBytes: number, logger: Logger): ModelHost {
  return createModelHost(models, {
    budgetBytes,
    onChange: (name, status) => logChange(logger, name, status),
    onCloseError: (name, error) => logger.error('an engine did not close', { model: name, error }),
  });
}

function toServed(hosted: HostedModel, { path, tokenizer }: FoundModel): ServedModel {
  return { engine: hosted.engine, tokenizer, path, hosted };
}

async function openHosted(config: ServerConfig, start: ModelStart, spawn: Spawn): Promise<ServedModel> {
  const { logger, print, display } = start;
  const budgetBytes = config.modelMemoryBytes ?? modelBudget(readMachineMemory());
  const draftPath = await findDraftFile(config);
  const options = await engineOptions(config, logger);
  const found = await findModels(config, start, budgetBytes);
  const [first] = found;
  if (first === undefined) throw new ConfigError('GPTJ_MODELS: expected at least one model, got none');
  await start.onFiles?.(() => found.map(({ path, name }) => ({ path, name, isAdded: false })));
  let isStarting = true;
  const open = hostModels({
    config,
    logger,
    options,
    spawn,
    draftOf: (model) => (model === first ? draftPath : null),
    onProgress(model, doneBytes, totalBytes) {
      if (isStarting) display.progress('loading', doneBytes, totalBytes, basename(model.path));
    },
  });
  const host = openHost(found.map(open), budgetBytes, logger);
  print(
    `Memory: ${found.map(({ name, bytes }) => `${name} ${gigabytes(bytes)}`).join(', ')}; loaded models take at most ${gigabytes(budgetBytes)} together`,
  );
  const stop = (): void => void host.close();
  start.signal?.addEventListener('abort', stop, { once: true });
  try {
    await host.preload(first.name);
  } catch (error) {
    await host.close();
    throw error instanceof ModelError && error.cause instanceof Error ? error.cause : error;
  } finally {
    isStarting = false;
    start.signal?.removeEventListener('abort', stop);
    display.clear();
  }
  const settled = host.models.map((hosted, at) => toServed(hosted, found[at] ?? first));
  const [served, ...others] = settled;
  if (served === undefined) throw new TypeError('expected a host with models, got none');
  const live = createLiveModels({ config, host, settled, add: (model) => toServed(host.add(open(model)), model) });
  return { ...served, others, host, live };
}

/** Find the files of all models, and what each takes. Throws `ConfigError` for names that are not unique. */
async function findModels(
  config: ServerConfig,
  start: ModelStart,
  budgetBytes: number,
): Promise<readonly FoundModel[]> {
  const openEach = openTokenizers();
  const found: FoundModel[] = [];
  // The caches of all have room beside each other where the weights leave it.
  const adapters = await listAdapters(adaptersFolder(config.dataDir));
  const machine = { totalBytes: budgetBytes / config.models.length, freeBytes: budgetBytes, isLimited: true };
  for (const choice of config.models) {
    const path = await findModelFile({ ...config, ...choice, setting: 'GPTJ_MODELS' }, start);
    const like = found[0]?.info ?? { kind: 'kernels', backend: 'cpu' };
    const { info, bytes } = await describeModelFile({ path, adapters, ...config.engineSize }, { like, machine });
    const name = choice.name ?? nameOf(choice, info);
    if (found.some((other) => other.name.toLowerCase() === name.toLowerCase())) {
      throw new ConfigError(
        `GPTJ_MODELS: expected models with names of their own, got two with the name ${name}; write NAME=${choice.modelPath ?? EMBEDDED_MODEL_NAME} for one of them`,
      );
    }
    found.push({ name, path, bytes, info: { ...info, modelName: name }, tokenizer: await openEach(path) });
  }
  return found;
}

/** A model that is named keeps the name under which it was pulled; a file has the one in its metadata. */
function nameOf({ modelName }: ModelChoice, info: EngineInfo): string {
  return modelName === null || modelName === EMBEDDED_MODEL_NAME ? info.modelName : modelName;
}

function checkMemory({ name, bytes }: FoundModel, { engineSize }: ServerConfig): void {
  if (engineSize.checksMemory === false) return;
  const { freeBytes } = readMachineMemory();
  if (bytes <= freeBytes) return;
  throw new ModelError(
    'out_of_memory',
    `${name}: expected ${gigabytes(bytes)} of free memory, got ${gigabytes(freeBytes)}; lower MODEL_MEMORY_MB or ENGINE_CACHE_TOKENS. ENGINE_MEMORY_CHECK=off loads it all the same`,
  );
}

/** The same engine, with the name by which the server has its model. */
function withName(engine: Engine, modelName: string): Engine {
  let { info } = engine;
  let named: EngineInfo = { ...info, modelName };
  const stats = engine.stats?.bind(engine);
  const setAdapters = engine.setAdapters?.bind(engine);
  return {
    get info() {
      if (engine.info !== info) {
        info = engine.info;
        named = { ...info, modelName };
      }
      return named;
    },
    generate: (request, signal) => engine.generate(request, signal),
    ...(stats === undefined ? {} : { stats }),
    ...(setAdapters === undefined ? {} : { setAdapters }),
    close: () => engine.close(),
  };
}

function logChange(logger: Logger, model: string, { state, reason, bytes }: HostedStatus): void {
  if (state === 'failed') logger.error('model could not be loaded', { model, reason });
  else logger.info(`model ${state}`, { model, bytes });
}
