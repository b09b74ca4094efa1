import { mkdir, statfs } from 'node:fs/promises';
import { readMachineMemory } from '@gptj-cloud/engine';
import {
  createPullJobs,
  findModel,
  listModels,
  modelsFolder,
  openFetch,
  readHubSettings,
  removeStoredModel,
  type StoredModel,
} from '@gptj-cloud/model-store';
import type { ModelStoreAdmin } from '../api/operator/model-store-routes.ts';
import type { ServerConfig } from '../config/parse-config.ts';
import { tryLockFolder } from '../store/try-lock-folder.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ModelStoreOptions {
  readonly config: Pick<ServerConfig, 'dataDir' | 'modelName' | 'models' | 'draftModel' | 'engineSize'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: () => Date;
  readonly logger: Logger;
}

const REMOVE_TIMEOUT_MS = 10_000;

/** The models of the data folder for the owners of the server. Closing its `pulls` ends a download. */
export async function openModelStore({
  config,
  environment,
  clock,
  logger,
}: ModelStoreOptions): Promise<ModelStoreAdmin> {
  const models = modelsFolder(config.dataDir);
  return {
    list: () => listModels(models),
    async served() {
      const chosen = [config.modelName, ...config.models.map(({ modelName }) => modelName), config.draftModel];
      const names = chosen.filter((name) => name !== null);
      const found = await Promise.all(names.map((name) => findModel(models, name)));
      return found.filter((model): model is StoredModel => model !== null);
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
      clock,
      onFailure: (error) => logger.error('a pull failed', { error }),
    }),
  };
}
