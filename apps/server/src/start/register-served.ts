import { readTokenizerData } from '@gptj-cloud/engine';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { type ModelOfNodes, registerModels } from '../runs/nodes/node-model-store.ts';
import type { Database } from '../store/db.ts';
import type { ServedModel } from './open-models.ts';

/** Let servers without an engine know the models of this one. */
export async function registerServed(db: Database, first: ServedModel, others: readonly ServedModel[]): Promise<void> {
  const known: ModelOfNodes[] = [];
  for (const [at, { engine, path, vocabulary }] of [first, ...others].entries()) {
    const { info } = engine;
    const data = vocabulary ?? (path === undefined ? null : await readTokenizerData(path));
    if (data !== null) known.push({ pipelineId: pipelineOf(info.modelName, at === 0).id, info, vocabulary: data });
  }
  await registerModels(db, known);
}
