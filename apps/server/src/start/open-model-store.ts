import { mkdir, realpath, statfs } from 'node:fs/promises';
import { resolve } from 'node:path';
import { findGpuMemory, readMachineMemory } from '@gptj-cloud/engine';
import {
  createPullJobs,
  findModel,
  listModels,
  modelsFolder,
  openFetch,
  readHubSettings,
  removeStoredModel,
} from '@gptj-cloud/model-store';
import type { ModelStoreAdmin } from '../api/operator/model-store-routes.ts';
import type { ServerConfig } from '../config/parse-config.ts';
import { tryLockFolder } from '../store/try-lock-folder.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ModelUses } from './model-uses.ts';

export interface ModelStoreOptions {
  readonly config: Pick<ServerConfig, 'dataDir' | 'modelName' | 'models' | 'draftModel' | 'engineSize'>;
  readonly uses: Pick<ModelUses, 'opened'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: () => Date;
  readonly logger: Logger;
}

const REMOVE_TIMEOUT_MS = 10_000;

/** The models of the data folder for the owners of the server. Closing its `pulls` ends a download. */
export async function openModelStore({
  config,
  uses,
  environment,
  clock,
  logger,
}: ModelStoreOptions): Promise<ModelStoreAdmin> {
  const models = modelsFolder(config.dataDir);
  return {
    list: () => listModels(models),
    async served() {
      const paths = uses.opened.map(({ path }) => path);
      const chosen = [config.modelName, ...config.models.map(({ modelName }) => modelName), config.draftModel];
      const named = await Promise.all(chosen.map((name) => (name === null ? null : findModel(models, name))));
      // What a name means changes with the next pull; the engines keep the files of the start.
      const used = new Set(await Promise.all([...paths, ...named.flatMap((each) => each?.path ?? [])].map(realPath)));
      const stored = await listModels(models);
      const real = await Promise.all(stored.map(({ path }) => realPath(path)));
      return stored.filter((_, at) => used.has(real[at] ?? ''));
    },
    remove: (name) => removeStoredModel(models, name, tryLockFolder, AbortSignal.timeout(REMOVE_TIMEOUT_MS)),
    async disk() {
      await mkdir(models, { recursive: true, mode: 0o700 });
      const { bavail, blocks, bsize } = await statfs(models);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    },
    pulls: createPullJobs({
      pull: {
        models,
        ...readHubSettings(environment),
        hubCache: null,
        fetch: await openFetch(environment),
        tryLock: tryLockFolder,
        checksMemory: config.engineSize.checksMemory !== false,
      },
      machine: readMachineMemory,
      gpu: (signal) => findGpuMemory(environment, signal),
      clock,
      onFailure: (error) => logger.error('a pull failed', { error }),
    }),
  };
}

async function realPath(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}
