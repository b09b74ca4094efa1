import { ApiError, type DataGet, newId } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import { fileJson, surrounded } from '../files/file-json.ts';
import { type FileDeps, storeUpload, type Upload, type WithFile } from '../files/file-service.ts';
import { findFile, holdFile } from '../files/file-store.ts';
import { type StoredData, toDataGet } from './data.ts';
import { deleteData, findData, insertData } from './data-store.ts';

/** Create data from a file of the project. Throws `not_found`, `storage_full`. */
export async function createDataFromFile(
  { db, clock, storage }: FileDeps,
  principal: Principal,
  fileId: string,
): Promise<DataGet> {
  const { projectId } = principal;
  const file = await findFile(db, projectId, fileId);
  const absent = (): ApiError => new ApiError('not_found', { kind: 'file', id: fileId.slice(0, 100) });
  if (file === null) throw absent();
  const data = { id: newId('data'), createdAt: clock(), file };
  await db.transaction(async (tx) => {
    // Rows before counts, as every deletion locks them.
    if (!(await holdFile(tx, file.id))) throw absent();
    await storage.require(tx, { principal, bytes: 0, items: 1 });
    await insertData(tx, projectId, data);
  });
  return toDataGet(data);
}

/** Store bytes as a file, and create data from it. Throws `storage_full`, and what the bytes throw. */
export async function createDataFromBytes(deps: FileDeps, principal: Principal, upload: Upload): Promise<DataGet> {
  const row = { id: newId('data'), createdAt: deps.clock() };
  const insert: WithFile['insert'] = (tx, file) => insertData(tx, principal.projectId, { ...row, file });
  return toDataGet({ ...row, file: await storeUpload(deps, principal, upload, { items: 2, insert }) });
}

/** Data of a project; large data come without their bytes. Throws `not_found`. */
export async function getData(deps: Pick<FileDeps, 'db'>, projectId: string, id: string): Promise<DataGet> {
  return toDataGet(await readData(deps, projectId, id));
}

/** The JSON of data with all their bytes, in parts. Throws `not_found`. */
export async function getWholeData(
  deps: Pick<FileDeps, 'db'>,
  projectId: string,
  id: string,
): Promise<AsyncIterable<string>> {
  const data = await readData(deps, projectId, id);
  const { hex_file: _, ...rest } = toDataGet(data);
  return surrounded(`${JSON.stringify(rest).slice(0, -1)},"hex_file":`, fileJson(deps.db, data.file), '}');
}

/** Delete data, and their file unless other data use it. Throws `not_found`, `file_in_use` when a run has them as input. */
export async function removeData({ db }: Pick<FileDeps, 'db'>, projectId: string, id: string): Promise<void> {
  const data = await readData({ db }, projectId, id);
  const user = await db.transaction((tx) => deleteData(tx, data));
  if (user !== null) throw new ApiError('file_in_use', { kind: 'data', id, user });
}

async function readData({ db }: Pick<FileDeps, 'db'>, projectId: string, id: string): Promise<StoredData> {
  const data = await findData(db, projectId, id);
  if (data === null) throw new ApiError('not_found', { kind: 'data', id: id.slice(0, 100) });
  return data;
}
