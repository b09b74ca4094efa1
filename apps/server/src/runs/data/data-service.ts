import { ApiError, type DataGet, newId } from '@gptj-cloud/protocol';
import { newFile, withSmallBytes } from '../files/file.ts';
import type { FileDeps, Upload } from '../files/file-service.ts';
import { findFile, insertFile } from '../files/file-store.ts';
import { toDataGet } from './data.ts';
import { findData, insertData } from './data-store.ts';

/** Create data from a file of the project. Throws `not_found`. */
export async function createDataFromFile({ db, clock }: FileDeps, projectId: string, fileId: string): Promise<DataGet> {
  const file = await findFile(db, projectId, fileId, 'small');
  if (file === null) throw new ApiError('not_found', { kind: 'file', id: fileId.slice(0, 100) });
  const data = { id: newId('data'), createdAt: clock(), file };
  await insertData(db, projectId, data);
  return toDataGet(data);
}

/** Store bytes as a file, and create data from it. */
export async function createDataFromBytes(
  { db, clock }: FileDeps,
  projectId: string,
  upload: Upload,
): Promise<DataGet> {
  const data = { id: newId('data'), createdAt: clock(), file: newFile(upload.name, upload.bytes) };
  await db.transaction(async (tx) => {
    await insertFile(tx, projectId, data.file, data.createdAt);
    await insertData(tx, projectId, data);
  });
  return toDataGet({ ...data, file: withSmallBytes(data.file) });
}

/** Data of a project; the bytes of large data are included only with `withBytes`. Throws `not_found`. */
export async function getData(
  { db }: FileDeps,
  projectId: string,
  { id, withBytes }: { readonly id: string; readonly withBytes: boolean },
): Promise<DataGet> {
  const data = await findData(db, projectId, id, withBytes ? 'all' : 'small');
  if (data === null) throw new ApiError('not_found', { kind: 'data', id: id.slice(0, 100) });
  return toDataGet(data);
}
