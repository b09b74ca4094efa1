import { ModelStoreError } from '../model-store-error.ts';
import type { TryLock } from '../ports.ts';
import { readFileUses, type UsedFile } from './file-uses.ts';
import { listModels, namesModel, removeModel, type StoredModel } from './model-store.ts';
import { withStoreLock } from './store-lock.ts';

/**
 * Delete the models that `name` or `name.type` names. Throws `not_found`, and `in_use` where a running server serves one of
 * them: none is deleted then.
 */
export async function removeStoredModel(
  models: string,
  name: string,
  tryLock: TryLock,
  signal: AbortSignal,
): Promise<readonly StoredModel[]> {
  return await withStoreLock(models, tryLock, signal, async () => {
    const uses = await readFileUses(models, tryLock);
    for (const model of await listModels(models)) {
      const use = uses.find(({ file }) => file === model.file);
      if (use !== undefined && namesModel(name, model)) throw refusal(model, use);
    }
    return await removeModel(models, name, uses);
  });
}

function refusal({ name, type }: StoredModel, use: UsedFile): ModelStoreError {
  const remedy = use.isAdded
    ? `gptj admin unserve ${use.name} ends that`
    : 'take it out of GPTJ_MODEL, GPTJ_MODELS or GPTJ_DRAFT_MODEL and start that server again, or stop it';
  return new ModelStoreError(
    'in_use',
    `expected a model that no server uses, got ${name}.${type}, which a running server serves as ${use.name}; ${remedy}`,
  );
}
