import type { WorkerModel } from '../worker-main.ts';
import type { ServedModel } from './open-models.ts';

/** What worker threads open; null: all requests are read on the server's thread. */
export function toWorkerModel(
  { path, engine: { info } }: ServedModel,
  others: readonly ServedModel[],
): WorkerModel | null {
  if (path === undefined) return null;
  const withFiles = others.flatMap((other) =>
    other.path === undefined ? [] : [{ modelPath: other.path, info: { ...other.engine.info } }],
  );
  return { modelPath: path, info: { ...info }, others: withFiles };
}
