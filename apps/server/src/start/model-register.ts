import { readTokenizerData } from '@gptj-cloud/engine';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import type { Node } from '../runs/nodes/node.ts';
import { type ModelOfNodes, registerModels, unregisterModels } from '../runs/nodes/node-model-store.ts';
import type { Database } from '../store/db.ts';
import type { ServedModel } from './open-models.ts';

/** Lets the other servers on the store know the models of this one. */
export interface ModelRegister {
  /** Store what is served now, and take back those of the last call that are gone. Calls follow each other. */
  update(): Promise<void>;
}

export interface ModelRegisterDeps {
  readonly db: Database;
  /** The models of the own engine, the first one first. */
  readonly served: () => readonly ServedModel[];
  /** This process, once it is composed. */
  readonly node: () => Pick<Node, 'id' | 'report'> | null;
}

export function createModelRegister({ db, served, node }: ModelRegisterDeps): ModelRegister {
  let registered: readonly ModelOfNodes[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const update = async (): Promise<void> => {
    const described = await Promise.all(served().map((model, at) => describe(model, at === 0)));
    const known = described.filter((each) => each !== null);
    const ids = new Set(known.map(({ pipelineId }) => pipelineId));
    const gone = registered.filter(({ pipelineId }) => !ids.has(pipelineId));
    const self = node();
    // Others send generations to servers that have reported a model.
    await self?.report();
    await registerModels(db, known);
    if (self !== null) {
      const names = gone.map(({ pipelineId, info }) => ({ pipelineId, name: info.modelName }));
      await unregisterModels(db, self.id, names);
    }
    registered = known;
  };
  return {
    update() {
      const turn = last.then(update);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

/** Null: its tokenizer is in no file. */
async function describe(
  { engine: { info }, path, vocabulary }: ServedModel,
  isFirst: boolean,
): Promise<ModelOfNodes | null> {
  const data = vocabulary ?? (path === undefined ? null : await readTokenizerData(path));
  return data === null ? null : { pipelineId: pipelineOf(info.modelName, isFirst).id, info, vocabulary: data };
}
