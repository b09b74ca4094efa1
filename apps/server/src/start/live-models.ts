/** Opens models of the data folder while the server runs: each gets a place in the host of the models. */
import { CheckpointError } from '@gptj-cloud/checkpoint';
import { describeModelFile, gigabytes, type ModelHost, openTokenizers } from '@gptj-cloud/engine';
import {
  adaptersFolder,
  EMBEDDED_MODEL_NAME,
  findModel,
  listAdapters,
  listModels,
  modelsFolder,
} from '@gptj-cloud/model-store';
import { ApiError } from '@gptj-cloud/protocol';
import type { ServerConfig } from '../config/parse-config.ts';
import { embeddedModelPath } from '../embedded-model.ts';
import type { ModelOpener } from '../generation/serving/serving-service.ts';
import type { FoundModel, ServedModel } from './open-models.ts';

export interface LiveModelsOptions {
  readonly config: ServerConfig;
  readonly host: ModelHost;
  /** The models of the settings, the first one first. */
  readonly settled: readonly ServedModel[];
  /** How the host loads a model. */
  readonly add: (model: FoundModel) => ServedModel;
}

/** The models that are opened beside those of the settings. */
export interface LiveModels extends ModelOpener {
  /** Present ones, with those of the settings. */
  readonly others: readonly ServedModel[];
  /** Called before a model is first used, and when new requests get it no longer. */
  onChange: () => Promise<void>;
}

export function createLiveModels({ config, host, settled, add }: LiveModelsOptions): LiveModels {
  const models = modelsFolder(config.dataDir);
  const openEach = openTokenizers();
  const [first, ...fixed] = settled;
  const added = new Map<string, ServedModel>();
  const fileOf = async (label: string): Promise<string> => {
    if (label === EMBEDDED_MODEL_NAME) return await embeddedModelPath();
    const found = await findModel(models, label);
    if (found === null) throw await unknown(models, label);
    return found.path;
  };
  const live: LiveModels = {
    get others() {
      return [...fixed, ...added.values()];
    },
    onChange: async () => {},
    async find(model) {
      if (model === EMBEDDED_MODEL_NAME) return { model, name: model };
      const found = await findModel(models, model);
      if (found === null) throw await unknown(models, model);
      return { model: `${found.name}.${found.type}`, name: found.name };
    },
    async open({ name, model }) {
      if (host.models.some((each) => each.name === name)) {
        throw new ApiError('conflict', {
          reason: `generations of the model that was served as ${name} have not ended`,
          remedy: 'wait until they have, or give this one another name',
        });
      }
      const path = await fileOf(model);
      const like = first?.engine.info ?? { kind: 'kernels', backend: 'cpu' };
      const adapters = await listAdapters(adaptersFolder(config.dataDir));
      const { budgetBytes } = host;
      const machine = {
        totalBytes: budgetBytes / (host.models.length + 1),
        freeBytes: budgetBytes,
        isLimited: true,
      };
      const options = { path, adapters, ...config.engineSize };
      const { info, bytes } = await describeModelFile(options, { like, machine }).catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw error;
        throw new ApiError('conflict', { reason: error.message, remedy: 'pull the model again' }, { cause: error });
      });
      if (bytes > budgetBytes) {
        throw new ApiError('conflict', {
          reason: `${name} takes ${gigabytes(bytes)}, and models that are loaded on demand may take ${gigabytes(budgetBytes)} together`,
          remedy: 'raise MODEL_MEMORY_MB or lower ENGINE_CACHE_TOKENS, or pull a smaller type of it',
        });
      }
      const tokenizer = await openEach(path);
      const served = add({ name, path, bytes, info: { ...info, modelName: name }, tokenizer });
      added.set(name, served);
      await live.onChange();
      return served;
    },
    async close(name) {
      added.delete(name);
      await live.onChange();
      await host.remove(name);
    },
  };
  return live;
}

async function unknown(models: string, name: string): Promise<ApiError> {
  const stored = [...new Set((await listModels(models)).map((each) => each.name))];
  const there = stored.length === 0 ? 'it has none' : `it has ${stored.join(', ')}`;
  return new ApiError('name_unknown', {
    kind: 'model of the data folder',
    name: name.slice(0, 100),
    remedy: `${there}; gptj pull downloads one`,
  });
}

/** Of a server that computes no model of its data folder: it opens none while it runs. */
export const NO_LIVE_MODELS: ModelOpener = {
  find: refuse,
  open: refuse,
  close: async () => {},
};

async function refuse(): Promise<never> {
  throw new ApiError('conflict', {
    reason: 'this server loads no models: workers or a completions server compute (GPTJ_ENGINE)',
    remedy: 'ask a server of the database that computes itself, or name the model in GPTJ_MODELS of the workers',
  });
}
