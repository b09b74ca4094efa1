import { access, constants, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, resolve } from 'node:path';
import { openCheckpoint } from '@gptj-cloud/checkpoint';
import { chooseEngine, gigabytes, type MachineMemory, planMemory } from '@gptj-cloud/engine';
import {
  EMBEDDED_MODEL_NAME,
  fitTypes,
  listModels,
  modelsFolder,
  openFetch,
  readHubSettings,
  type TypeFit,
} from '@gptj-cloud/model-store';
import { parseConfig, type ServerConfig } from '@gptj-cloud/server';
import { findLocalModel } from '../default-model.ts';
import { formatBytes } from '../figures.ts';
import { type Check, fault, ok, warning } from './check.ts';

const TIMEOUT_MS = 3000;
/** The store of runs, and a small model. */
const MIN_FREE_BYTES = 1e9;

/** The server's settings; null where one of them is invalid. */
export function checkSettings(env: NodeJS.ProcessEnv): { readonly config: ServerConfig | null; readonly check: Check } {
  try {
    const config = parseConfig(env);
    return { config, check: ok('program', 'settings', 'valid') };
  } catch (error) {
    return { config: null, check: fault('program', 'settings', (error as Error).message, 'correct the variable') };
  }
}

/** Data folder, disk, and stored models. */
export async function checkStorage(dataDir: string): Promise<readonly Check[]> {
  const { path: folder, isFolder } = await nearestExisting(dataDir);
  if (!isFolder) {
    const remedy = 'set DATA_DIR to a folder';
    return [fault('storage', 'data folder', `${dataDir}: expected a folder, got the file ${folder}`, remedy)];
  }
  const isThere = folder === resolve(dataDir);
  const isWritable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const state = freeBytes < MIN_FREE_BYTES ? warning : ok;
  const name = isThere ? dataDir : `${dataDir} (created by the first start)`;
  return [
    isWritable
      ? ok('storage', 'data folder', name)
      : fault('storage', 'data folder', `${folder} cannot be written by this user`, 'set DATA_DIR to another folder'),
    state('storage', 'disk', `${gigabytes(freeBytes)} free`),
    ...(await storedModels(dataDir)),
  ];
}

/** The path, or the part of it that exists. */
async function nearestExisting(path: string): Promise<{ readonly path: string; readonly isFolder: boolean }> {
  for (let nearest = resolve(path); ; nearest = dirname(nearest)) {
    const found = await stat(nearest).catch(() => null);
    if (found !== null || dirname(nearest) === nearest)
      return { path: nearest, isFolder: found?.isDirectory() ?? true };
  }
}

async function storedModels(dataDir: string): Promise<readonly Check[]> {
  const models = await listModels(modelsFolder(dataDir));
  const checks = models.map(async ({ name, type, path, sizeBytes }) => {
    const size = await stat(path).then(
      (file) => file.size,
      () => null,
    );
    const label = `${name}.${type}`;
    if (size === sizeBytes) return ok('storage', label, formatBytes(sizeBytes));
    const got = size === null ? 'its file is missing' : `its file has ${size} bytes instead of ${sizeBytes}`;
    return fault('storage', label, got, `gptj rm ${label}, and pull it again`);
  });
  return await Promise.all(checks);
}

export interface ModelChecks {
  readonly checks: readonly Check[];
  /** The types of the model's shape on this machine; null where the model cannot be read. */
  readonly fit: readonly TypeFit[] | null;
}

/** The models that the server would serve: file, engine and memory of each. Several are loaded as the memory allows. */
export async function checkModels(
  env: NodeJS.ProcessEnv,
  config: ServerConfig,
  machine: { readonly memory: MachineMemory; readonly hasGpu: boolean },
): Promise<ModelChecks> {
  const [first, ...others] = config.models.length === 0 ? [config] : config.models;
  const checked = await checkModel(first!, env, config, machine);
  const rest = await Promise.all(others.map((each) => checkModel(each, env, config, machine)));
  return { checks: [...checked.checks, ...rest.flatMap(({ checks }) => checks)], fit: checked.fit };
}

async function checkModel(
  { modelPath, modelName }: Pick<ServerConfig, 'modelPath' | 'modelName'>,
  env: NodeJS.ProcessEnv,
  config: ServerConfig,
  { memory, hasGpu }: { readonly memory: MachineMemory; readonly hasGpu: boolean },
): Promise<ModelChecks> {
  try {
    const path = await findLocalModel(modelName ?? modelPath ?? EMBEDDED_MODEL_NAME, env);
    const checkpoint = await openCheckpoint(path);
    await checkpoint.close();
    const file = await stat(path);
    if (checkpoint.format !== 'gguf') {
      return { checks: [ok('model', 'model', `${path}, converted at the first start`)], fit: null };
    }
    const { kind: given, gpuLayers, checksMemory } = config.engineSize;
    const onGpu = hasGpu && gpuLayers !== 0 && (given ?? 'llama') === 'llama';
    // Without a GPU: its libraries are not loaded into this process.
    const kind = given ?? (onGpu ? 'llama' : (await chooseEngine(path, 0)).kind);
    const plan = planMemory({
      config: checkpoint.config,
      engine: kind === 'llama' ? 'llama' : 'kernels',
      path,
      fileBytes: file.size,
      bytesPerValue: 2,
      machine: memory,
      // A GPU has memory of its own, which llama.cpp alone knows.
      refuses: checksMemory !== false && !onGpu,
    });
    const needs = `${gigabytes(plan.totalBytes)} of memory, ${plan.cacheCells} tokens of cache`;
    return {
      checks: [ok('model', checkpoint.modelName, `${path}, on ${kind}, ${needs}`)],
      fit: fitTypes(checkpoint.config, memory),
    };
  } catch (error) {
    return { checks: [fault('model', 'model', (error as Error).message)], fit: null };
  }
}

/** The database's port and the hub, and what of the environment leads there. Secrets are not shown. */
export async function checkNetwork(env: NodeJS.ProcessEnv, config: ServerConfig | null): Promise<readonly Check[]> {
  const proxy = env.HTTPS_PROXY ?? env.https_proxy;
  const hub = env.HF_ENDPOINT || 'https://huggingface.co';
  return [
    ...(config?.databaseUrl == null
      ? [ok('storage', 'database', 'embedded, in the data folder')]
      : [await checkDatabase(config.databaseUrl)]),
    await checkHub(env, hub),
    ok('network', 'token of the hub', env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN ? 'set' : 'none'),
    ok('network', 'proxy', proxy ? hostOf(proxy) : 'none'),
  ];
}

/** Whether it accepts connections; gptj serve checks the rest at its start. */
async function checkDatabase(url: string): Promise<Check> {
  const { hostname, port } = new URL(url);
  const place = `${hostname}:${port || 5432}`;
  const reason = await new Promise<string | null>((settle) => {
    const socket = connect({ host: hostname, port: Number(port || 5432), timeout: TIMEOUT_MS });
    const end = (text: string | null): void => {
      socket.destroy();
      settle(text);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end('no answer'));
    socket.once('error', (error) => end(error.message));
  });
  return reason === null
    ? ok('storage', 'database', `${place} accepts connections`)
    : fault('storage', 'database', `${place}: ${reason}`, 'start PostgreSQL, or correct DATABASE_URL');
}

async function checkHub(env: NodeJS.ProcessEnv, hub: string): Promise<Check> {
  try {
    readHubSettings(env);
  } catch (error) {
    return fault('network', 'hub', withoutUsers((error as Error).message), 'correct the variable: gptj serve reads it');
  }
  if (/^(?:1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''))
    return ok('network', 'hub', 'not asked: HF_HUB_OFFLINE is set');
  try {
    const fetch = await openFetch(env);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const { status, body } = await fetch(hub, { headers: {}, redirect: 'manual', signal });
    await body?.cancel();
    return ok('network', 'hub', `${hostOf(hub)} answers (${status})`);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const remedy = 'only gptj pull needs it; see HF_ENDPOINT and HTTPS_PROXY';
    return warning('network', 'hub', `${hostOf(hub)}: ${withoutUsers((cause as Error).message)}`, remedy);
  }
}

/** A text without the users and passwords of its addresses. */
function withoutUsers(text: string): string {
  return text.replace(/[^/\s"]+/g, (part) => part.slice(part.lastIndexOf('@') + 1));
}

/** Without user and password. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an invalid address';
}
