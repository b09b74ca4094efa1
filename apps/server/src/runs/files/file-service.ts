import { ApiError, type FileGet } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import type { StorageLimits } from '../../metering/storage/storage-limits.ts';
import type { Database } from '../../store/db.ts';
import { decodeUpload } from './decode-upload.ts';
import { newFile, type StoredFile, toFileGet, withSmallBytes } from './file.ts';
import { fileJson } from './file-json.ts';
import { insertSlice, SLICE_BYTES, toSlices } from './file-slices-store.ts';
import {
  deleteFile,
  findFile,
  finishUnstored,
  growUnstored,
  insertFiles,
  insertUnstored,
  removeUnstored,
} from './file-store.ts';

export interface FileDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly storage: StorageLimits;
}

/** An uploaded file, whose bytes come while it is stored. */
export interface Upload {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The most bytes that the client announced; null when it announced nothing. */
  readonly announcedBytes: number | null;
}

/** Store an uploaded file whose bytes are hexadecimal digits. Throws `invalid_hex`, `storage_full`, and what the bytes throw. */
export async function uploadFile(deps: FileDeps, principal: Principal, upload: Upload): Promise<FileGet> {
  // Raw bytes, which the first clients sent, are twice as many as their digits would be: their size is corrected below.
  const announcedBytes = upload.announcedBytes === null ? null : Math.ceil(upload.announcedBytes / 2);
  const bytes = decodeUpload(upload.bytes);
  return toFileGet(await storeUpload(deps, principal, { ...upload, bytes, announcedBytes }, { items: 1 }));
}

/** Rows that are stored together with a file, in the transaction that makes it visible. */
export interface WithFile {
  /** Stored items in all, the file included. */
  readonly items: number;
  readonly insert?: (tx: Database, file: StoredFile) => Promise<void>;
}

/**
 * Store a file while its bytes come. A small one is stored at the end, as a whole. The slices of a large one are written
 * one by one, outside a transaction: no more than one is held, and others use the store between them. Its bytes count from
 * the beginning, and nothing of it stays when the upload fails. Returns the file, without its bytes when it is large.
 *
 * Throws `storage_full` and what the bytes throw.
 */
export async function storeUpload(
  { db, clock, storage }: FileDeps,
  principal: Principal,
  upload: Upload,
  { items, insert = async () => {} }: WithFile,
): Promise<StoredFile> {
  const slices = toSlices(upload.bytes);
  const { projectId } = principal;
  const createdAt = clock();
  try {
    const first = await slices.next();
    const start = first.done === true ? new Uint8Array() : first.value;
    const second = start.length < SLICE_BYTES ? null : await slices.next();
    if (second === null || second.done === true) {
      const file = newFile(upload.name, start);
      await db.transaction(async (tx) => {
        await storage.require(tx, { principal, bytes: file.sizeBytes, items });
        await insertFiles(tx, [{ projectId, file, createdAt }]);
        await insert(tx, file);
      });
      return withSmallBytes(file);
    }
    const atLeast = start.length + second.value.length;
    const reserved = Math.max(atLeast, upload.announcedBytes ?? 0);
    const file = { ...newFile(upload.name, new Uint8Array()), bytes: null, sizeBytes: reserved };
    await db.transaction(async (tx) => {
      await storage.require(tx, { principal, bytes: reserved, items });
      await insertUnstored(tx, { projectId, file, createdAt });
    });
    try {
      await insertSlice(db, file.id, 0, start);
      const sizeBytes = await writeSlices({ db, storage }, principal, file, slices, second.value);
      const stored = { ...file, sizeBytes };
      await db.transaction(async (tx) => {
        await finishUnstored(tx, stored);
        await insert(tx, stored);
      });
      return stored;
    } catch (error) {
      await removeUnstored(db, file.id);
      throw error;
    }
  } finally {
    await slices.return(undefined);
  }
}

/** Write all slices but the first; returns the size of the file. */
async function writeSlices(
  { db, storage }: Pick<FileDeps, 'db' | 'storage'>,
  principal: Principal,
  { id, sizeBytes }: StoredFile,
  slices: AsyncGenerator<Uint8Array>,
  second: Uint8Array,
): Promise<number> {
  let reserved = sizeBytes;
  let size = SLICE_BYTES;
  let index = 1;
  for (let slice = second; ; ) {
    size += slice.length;
    if (size > reserved) {
      const addition = { principal, bytes: size - reserved, items: 0 };
      await db.transaction((tx) => growUnstored(tx, id, size, () => storage.require(tx, addition)));
      reserved = size;
    }
    await insertSlice(db, id, index++, slice);
    const next = await slices.next();
    if (next.done === true) return size;
    slice = next.value;
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
