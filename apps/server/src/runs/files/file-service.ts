import { ApiError, type FileGet } from '@gptj-cloud/protocol';
import type { Database } from '../../store/db.ts';
import { decodeUpload, newFile, toFileGet, withSmallBytes } from './file.ts';
import { findFile, insertFile } from './file-store.ts';

export interface FileDeps {
  readonly db: Database;
  readonly clock: () => Date;
}

/** An uploaded file. */
export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Store an uploaded file whose bytes are hexadecimal digits. Throws `invalid_hex`. */
export async function uploadFile({ db, clock }: FileDeps, projectId: string, upload: Upload): Promise<FileGet> {
  const file = newFile(upload.name, decodeUpload(upload.bytes));
  await insertFile(db, projectId, file, clock());
  return toFileGet(withSmallBytes(file));
}

/** A file of a project; the bytes of large files are included only with `withBytes`. Throws `not_found`. */
export async function getFile(
  { db }: FileDeps,
  projectId: string,
  { id, withBytes }: { readonly id: string; readonly withBytes: boolean },
): Promise<FileGet> {
  const file = await findFile(db, projectId, id, withBytes ? 'all' : 'small');
  if (file === null) throw new ApiError('not_found', { kind: 'file', id: id.slice(0, 100) });
  return toFileGet(file);
}
