import { ApiError, type FileGet } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import type { StorageLimits } from '../../metering/storage/storage-limits.ts';
import type { Database } from '../../store/db.ts';
import { decodeUpload, type NewFile, newFile, type StoredFile, toFileGet, withSmallBytes } from './file.ts';
import { fileJson } from './file-json.ts';
import { insertSlices, isSliced } from './file-slices-store.ts';
import { deleteFile, findFile, insertFiles, insertUnstored, removeUnstored } from './file-store.ts';

export interface FileDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly storage: StorageLimits;
}

/** An uploaded file. */
export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Store an uploaded file whose bytes are hexadecimal digits. Throws `invalid_hex`, `storage_full`. */
export async function uploadFile(deps: FileDeps, principal: Principal, upload: Upload): Promise<FileGet> {
  const file = newFile(upload.name, await decodeUpload(upload.bytes));
  await storeFile(deps, principal, file, { items: 1 });
  return toFileGet(withSmallBytes(file));
}

/** Rows that are stored together with a file, in the transaction that makes it visible. */
export interface WithFile {
  /** Stored items in all, the file included. */
  readonly items: number;
  readonly insert?: (tx: Database) => Promise<void>;
}

/**
 * Store a file. The slices of a large one are written one by one, outside a transaction, so that others use the store
 * between them; its bytes count from the beginning. Throws `storage_full`.
 */
export async function storeFile(
  { db, clock, storage }: FileDeps,
  principal: Principal,
  file: NewFile,
  { items, insert = async () => {} }: WithFile,
): Promise<void> {
  const row = { projectId: principal.projectId, file, createdAt: clock() };
  const addition = { principal, bytes: file.sizeBytes, items };
  const isLarge = isSliced(file.sizeBytes);
  try {
    if (isLarge) {
      await db.transaction(async (tx) => {
        await storage.require(tx, addition);
        await insertUnstored(tx, row);
      });
      await insertSlices(db, file);
    }
    await db.transaction(async (tx) => {
      if (!isLarge) await storage.require(tx, addition);
      await insertFiles(tx, [row]);
      await insert(tx);
    });
  } catch (error) {
    if (isLarge) await removeUnstored(db, file.id);
    throw error;
  }
}

/** A file of a project; large files come without their bytes. Throws `not_found`. */
export async function getFile(deps: Pick<FileDeps, 'db'>, projectId: string, id: string): Promise<FileGet> {
  return toFileGet(await readFile(deps, projectId, id));
}

/** The JSON of a file with all its bytes, in parts. Throws `not_found`. */
export async function getWholeFile(
  deps: Pick<FileDeps, 'db'>,
  projectId: string,
  id: string,
): Promise<AsyncIterable<string>> {
  return fileJson(deps.db, await readFile(deps, projectId, id));
}

/** Delete a file. Throws `not_found`, `file_in_use` when it is data or the result of a run. */
export async function removeFile({ db }: Pick<FileDeps, 'db'>, projectId: string, id: string): Promise<void> {
  const file = await readFile({ db }, projectId, id);
  const user = await db.transaction((tx) => deleteFile(tx, file.id));
  if (user !== null) throw new ApiError('file_in_use', { kind: 'file', id, user });
}

async function readFile({ db }: Pick<FileDeps, 'db'>, projectId: string, id: string): Promise<StoredFile> {
  const file = await findFile(db, projectId, id);
  if (file === null) throw new ApiError('not_found', { kind: 'file', id: id.slice(0, 100) });
  return file;
}
