import type { TryLock } from '../ports.ts';
import { removeModel, type StoredModel } from './model-store.ts';
import { withStoreLock } from './store-lock.ts';

/** Delete the models that `name` or `name.type` names. Throws `not_found`. */
export async function removeStoredModel(
  models: string,
  name: string,
  tryLock: TryLock,
  signal: AbortSignal,
): Promise<readonly StoredModel[]> {
  return await withStoreLock(models, tryLock, signal, () => removeModel(models, name));
}
