import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { inspectModel } from '@gptj-cloud/checkpoint';
import { ModelStoreError } from '../model-store-error.ts';
import type { TryLock } from '../ports.ts';
import { readFileUses } from '../store/file-uses.ts';
import { hashFile } from '../store/hash-file.ts';
import type { ModelSource } from '../store/model-record.ts';
import { type StoredModel, storeModel } from '../store/model-store.ts';
import { withStoreLock } from '../store/store-lock.ts';

export interface StoreFileOptions {
  readonly models: string;
  readonly name: string;
  readonly source: ModelSource;
  readonly tryLock: TryLock;
  readonly signal: AbortSignal;
}

/** Check a model file, and move it into the store. Throws `not_convertible` for one that cannot be served. */
export async function storeModelFile(path: string, options: StoreFileOptions): Promise<StoredModel> {
  const { models, name, source, tryLock, signal } = options;
  const report = await inspectModel(path);
  if (report.config === null || report.format !== 'gguf') {
    throw new ModelStoreError('not_convertible', `${source.from}: ${report.warnings.join('; ')}`);
  }
  const { size } = await stat(path);
  const sha256 = await hashFile(path, createHash('sha256'), signal);
  const type = report.recipe ?? 'unknown';
  const facts = { name, type, sizeBytes: size, sha256, source, storedAt: new Date().toISOString() };
  return await withStoreLock(models, tryLock, signal, async () =>
    storeModel(models, path, facts, await readFileUses(models, tryLock)),
  );
}
