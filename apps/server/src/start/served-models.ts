/**
 * The models of a server as they come and go: those of its own engine, and those that other servers compute. What depends on
 * them is informed of every change: the threads that read requests, the names in plans, and the other servers.
 */
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerModel } from '../worker-main.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';
import type { ModelRegister } from './model-register.ts';
import type { ModelUses, OpenedFile } from './model-uses.ts';
import { namesInPlans } from './names-in-plans.ts';
import type { ServedModel } from './open-models.ts';
import type { NodeModels } from './open-node-models.ts';
import { toWorkerModel } from './to-worker-model.ts';

/** What is informed of changes. */
export interface ModelReaders {
  readonly workers: Pick<WorkerPool, 'replace'> | undefined;
  /** Null: no other server learns of them. */
  readonly register: ModelRegister | null;
  /** Null: no process of the data folder learns of them. */
  readonly uses: Pick<ModelUses, 'update'> | null;
  /** Models of other servers; null: there are none. */
  readonly nodes: NodeModels | null;
  readonly logger: Logger;
}

export interface ServedModels {
  /** Beside the first: those of the own engine. */
  readonly own: readonly ServedModel[];
  /** Beside the first: all. */
  readonly present: readonly ServedModel[];
  readonly workerModel: WorkerModel | null;
  /** Files of the own engine. */
  readonly files: readonly OpenedFile[];
  isOwn(name: string): boolean;
  /** The name in plans of a model beside the first one. */
  planName(name: string): string | undefined;
  /** Inform these from now on. Resolves when the other servers know the models. */
  connect(readers: ModelReaders): Promise<void>;
  /** Adapters of the own engine have changed. */
  readonly adaptersChanged: () => void;
  /** Let the other servers know which models of the own engine take requests now. */
  readonly register: () => void;
}

export function createServedModels(first: ServedModel): ServedModels {
  const { live, others = [] } = first;
  let readers: ModelReaders | null = null;
  let planNames = namesInPlans(others);
  const readAgain = (): void => {
    planNames = namesInPlans(models.present);
    readers?.workers?.replace(models.workerModel);
  };
  const toFile = (model: ServedModel): readonly OpenedFile[] => {
    const isAdded = model !== first && !others.includes(model);
    return model.path === undefined ? [] : [{ path: model.path, name: model.engine.info.modelName, isAdded }];
  };
  const ownChanged = async (): Promise<void> => {
    readAgain();
    await readers?.uses?.update();
  };
  const models: ServedModels = {
    get own() {
      return live?.others ?? others;
    },
    get present() {
      const elsewhere = readers?.nodes?.present ?? [];
      return [...models.own, ...elsewhere.filter(({ engine }) => !models.isOwn(engine.info.modelName))];
    },
    get workerModel() {
      return toWorkerModel(first, models.present);
    },
    get files() {
      return [first, ...models.own].flatMap(toFile);
    },
    isOwn: (name) => [first, ...models.own].some(({ engine }) => engine.info.modelName === name),
    planName: (name) => planNames.get(name),
    async connect(given) {
      readers = given;
      if (live !== undefined) live.onChange = ownChanged;
      if (given.nodes !== null) given.nodes.onChange = readAgain;
      await given.uses?.update();
      await given.register?.update();
    },
    adaptersChanged() {
      readAgain();
      models.register();
    },
    register() {
      readers?.register
        ?.update()
        .catch((error) => readers?.logger.warn('other servers do not learn of a change of the models', { error }));
    },
  };
  return models;
}
