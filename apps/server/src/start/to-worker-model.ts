import type { WorkerModel } from '../worker-main.ts';
import type { ServedModel } from './open-models.ts';

/** What worker threads open; null: all requests are read on the server's thread. */
export function toWorkerModel(first: ServedModel, others: readonly ServedModel[]): WorkerModel | null {
  const [model, ...rest] = [first, ...others].map(({ path, vocabulary = path, engine: { info } }) =>
    vocabulary === undefined ? null : { vocabulary, info: { ...info } },
  );
  return model == null ? null : { ...model, others: rest.filter((each) => each !== null) };
}
