import { createHash, randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '../download/sync-folder.ts';
import { ModelStoreError, writeError } from '../model-store-error.ts';
import { findModel, type StoredModel, unknownModel } from '../store/model-store.ts';
import { paddedSize, TAR_BLOCK, tarHeader } from './tar-header.ts';

export interface ExportOptions {
  readonly models: string;
  /** `name` or `name.type`. */
  readonly name: string;
  /** The bundle to write. */
  readonly target: string;
  readonly overwrite: boolean;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

/** Names of the files in a bundle, in their order. */
export const BUNDLE_FILES = { record: 'model.json', model: 'model.gguf' } as const;

const PIECE_BYTES = 2 ** 20;

/**
 * Write a bundle: a tar archive of the record and the model file, whose hash is checked on the way. The bundle appears under
 * its name when it is complete. Throws `not_found`, `target_exists`, `hash_mismatch`, `disk_full`, `io`, `aborted`.
 */
export async function exportModel(options: ExportOptions): Promise<StoredModel> {
  const { models, name, target, overwrite } = options;
  const model = await findModel(models, name);
  if (model === null) throw await unknownModel(models, name);
  const found = lstatSync(target, { throwIfNoEntry: false });
  if (found !== undefined && !(overwrite && found.isFile())) {
    throw new ModelStoreError(
      'target_exists',
      `${target}: expected no such file, found one; --overwrite replaces a file`,
    );
  }
  const partial = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.partial`);
  try {
    const file = await open(partial, 'wx');
    try {
      await writeBundle(file, model, options);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, target);
    await syncFolder(dirname(target));
    return model;
  } catch (error) {
    await rm(partial, { force: true });
    throw writeError(target, error);
  }
}

async function writeBundle(
  target: FileHandle,
  model: StoredModel,
  { onProgress, signal }: ExportOptions,
): Promise<void> {
  const { path, ...record } = model;
  const text = Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
  const start = Buffer.alloc(TAR_BLOCK + paddedSize(text.byteLength) + TAR_BLOCK);
  start.set(tarHeader({ name: BUNDLE_FILES.record, sizeBytes: text.byteLength }));
  start.set(text, TAR_BLOCK);
  start.set(tarHeader({ name: BUNDLE_FILES.model, sizeBytes: model.sizeBytes }), start.byteLength - TAR_BLOCK);
  await target.writeFile(start);
  const hash = createHash('sha256');
  const source = await open(path, 'r');
  try {
    const piece = new Uint8Array(PIECE_BYTES);
    for (let done = 0; done < model.sizeBytes; ) {
      if (signal.aborted) throw new ModelStoreError('aborted', 'the export was stopped');
      const { bytesRead } = await source.read(piece, 0, Math.min(PIECE_BYTES, model.sizeBytes - done), done);
      if (bytesRead === 0) break;
      const bytes = piece.subarray(0, bytesRead);
      hash.update(bytes);
      await target.writeFile(bytes);
      done += bytesRead;
      onProgress(done, model.sizeBytes);
    }
  } finally {
    await source.close();
  }
  const hex = hash.digest('hex');
  if (hex !== model.sha256) {
    throw new ModelStoreError(
      'hash_mismatch',
      `${path}: expected the SHA-256 ${model.sha256}, as when it was stored, got ${hex}; gptj rm ${model.name} and pull it again`,
    );
  }
  // Two empty blocks end an archive.
  await target.writeFile(Buffer.alloc(paddedSize(model.sizeBytes) - model.sizeBytes + 2 * TAR_BLOCK));
}
