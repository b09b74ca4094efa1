/**
 * The models of a data folder: `NAME.TYPE-HASH.gguf` and `NAME.TYPE.json` in `DATA_DIR/models`. The record is replaced
 * atomically and names its file, so that at every moment a record speaks for a complete file; a model file that no record
 * names is left of a process that was killed, and is removed by the next change of that model.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../download/sync-folder.ts';
import { errnoOf, ModelStoreError, writeError } from '../model-store-error.ts';
import { EMBEDDED_MODEL_NAME, isModelName, type ModelRecord, parseRecord } from './model-record.ts';

export interface StoredModel extends ModelRecord {
  /** Path of the model file. */
  readonly path: string;
}

/** Where a data folder keeps its models. */
export function modelsFolder(dataDir: string): string {
  return join(dataDir, 'models');
}

/** All models, by name and type. A record that cannot be read is left out. */
export async function listModels(models: string): Promise<readonly StoredModel[]> {
  const names = await readdir(models).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  const found: StoredModel[] = [];
  for (const name of names.filter((each) => each.endsWith('.json') && !each.startsWith('.')).sort()) {
    try {
      const record = parseRecord(name, await readFile(join(models, name), 'utf8'));
      if (name === recordName(record)) found.push({ ...record, path: join(models, record.file) });
    } catch (error) {
      if (!(error instanceof ModelStoreError) && errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return found;
}

/**
 * The model that `name` or `name.type` names; null when the store has none. Of several types of a model, the one that was
 * stored last.
 */
export async function findModel(models: string, name: string): Promise<StoredModel | null> {
  if (!isModelName(name) || name === EMBEDDED_MODEL_NAME) return null;
  const all = await listModels(models);
  const exact = all.find((model) => `${model.name}.${model.type}` === name);
  const named = all.filter((model) => model.name === name);
  return exact ?? named.toSorted((a, b) => b.storedAt.localeCompare(a.storedAt))[0] ?? null;
}

/** Settings and requests mean the model that ships with the software by this name. */
function checkNotReserved(name: string): void {
  if (name !== EMBEDDED_MODEL_NAME) return;
  throw new ModelStoreError(
    'name_taken',
    `expected another name than ${name}, which is that of the embedded model; --name gives this one another name`,
  );
}

/** Refuse a name that is reserved, or that the store has for a model of another source. Throws `name_taken`. */
export async function checkName(models: string, name: string, from: string): Promise<void> {
  checkNotReserved(name);
  const other = (await listModels(models)).find((model) => model.name === name && model.source.from !== from);
  if (other === undefined) return;
  throw new ModelStoreError(
    'name_taken',
    `expected a name that the store does not have, got ${name}, which is ${other.source.from}; --name gives this one another name, gptj rm ${name} removes that one`,
  );
}

/**
 * Move a complete model file into the store, replacing the one of the same name and type. The caller holds the lock. Files of
 * `used` are not deleted: servers have them open.
 */
export async function storeModel(
  models: string,
  file: string,
  facts: Omit<ModelRecord, 'file'>,
  used: readonly { readonly file: string }[] = [],
): Promise<StoredModel> {
  checkNotReserved(facts.name);
  const record: ModelRecord = { ...facts, file: `${facts.name}.${facts.type}-${facts.sha256.slice(0, 12)}.gguf` };
  const path = join(models, record.file);
  try {
    await mkdir(models, { recursive: true, mode: 0o700 });
    await rename(file, path);
    await syncFolder(models);
    await writeAtomically(join(models, recordName(record)), `${JSON.stringify(record, null, 2)}\n`);
    await removeFiles(models, record, [record.file, ...used.map((use) => use.file)]);
  } catch (error) {
    throw writeError(path, error);
  }
  return { ...record, path };
}

/** Whether `name` or `name.type` means a model. */
export function namesModel(wanted: string, { name, type }: Pick<ModelRecord, 'name' | 'type'>): boolean {
  return name === wanted || `${name}.${type}` === wanted;
}

/** Remove the models that `name` or `name.type` names, but for files of `used`. Throws `not_found`. The caller holds the lock. */
export async function removeModel(
  models: string,
  name: string,
  used: readonly { readonly file: string }[] = [],
): Promise<readonly StoredModel[]> {
  const all = await listModels(models);
  const removed = all.filter((model) => namesModel(name, model));
  if (removed.length === 0) throw await unknownModel(models, name);
  for (const model of removed) {
    await rm(join(models, recordName(model)));
    await removeFiles(
      models,
      model,
      used.map(({ file }) => file),
    );
  }
  await syncFolder(models);
  return removed;
}

/** The error for a name that the store does not have. */
export async function unknownModel(models: string, name: string): Promise<ModelStoreError> {
  const names = [...new Set((await listModels(models)).map((model) => model.name))];
  const stored = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
  return new ModelStoreError(
    'not_found',
    `${models}: expected the name of a stored model, got ${JSON.stringify(name.slice(0, 100))}; ${stored}. gptj pull downloads one`,
  );
}

function recordName({ name, type }: Pick<ModelRecord, 'name' | 'type'>): string {
  return `${name}.${type}.json`;
}

/** Delete the model files of a name and type but those that are kept, and what killed processes left of their records. */
async function removeFiles(models: string, record: ModelRecord, kept: readonly string[]): Promise<void> {
  const [model, unfinished] = [`${record.name}.${record.type}-`, `${recordName(record)}.`];
  const files = (await readdir(models)).filter(
    (file) =>
      (file.startsWith(model) && /^[0-9a-f]{12}\.gguf$/.test(file.slice(model.length)) && !kept.includes(file)) ||
      (file.startsWith(unfinished) && /^[0-9a-f]{12}\.new$/.test(file.slice(unfinished.length))),
  );
  for (const file of files) await rm(join(models, file), { force: true });
}

/** Write a small file so that it is complete or absent at every moment. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
