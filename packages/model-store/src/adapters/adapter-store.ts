/**
 * The adapters of a data folder: `NAME-HASH.gguf` and `NAME.json` in `DATA_DIR/adapters`. The record is replaced atomically and
 * names its file, so that at every moment a record speaks for a complete file. A file that no record names is left of a
 * process that was killed, or belongs to a record that was replaced; the next change removes it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { checkAdapter, convertAdapter, fitOf } from '@gptj-cloud/checkpoint';
import { gigabytes } from '@gptj-cloud/engine';
import type { GptjConfig } from '@gptj-cloud/model';
import { syncFolder } from '../download/sync-folder.ts';
import { errnoOf, ModelStoreError, writeError } from '../model-store-error.ts';
import type { TryLock } from '../ports.ts';
import { hashFile } from '../store/hash-file.ts';
import { isModelName, toModelName } from '../store/model-record.ts';
import { writeAtomically } from '../store/model-store.ts';
import { withStoreLock } from '../store/store-lock.ts';
import { type AdapterRecord, parseAdapterRecord } from './adapter-record.ts';

export interface StoredAdapter extends AdapterRecord {
  /** Path of the adapter's file. */
  readonly path: string;
}

/** Adapters of one data folder at most: a server holds all that fit its model in memory. */
export const MAX_ADAPTERS = 64;

/** Where a data folder keeps its adapters. */
export function adaptersFolder(dataDir: string): string {
  return join(dataDir, 'adapters');
}

/** All adapters, by name. A record that cannot be read is left out. */
export async function listAdapters(folder: string): Promise<readonly StoredAdapter[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  const found: StoredAdapter[] = [];
  for (const name of names.filter((each) => each.endsWith('.json') && !each.startsWith('.')).sort()) {
    try {
      const record = parseAdapterRecord(name, await readFile(join(folder, name), 'utf8'));
      if (name === recordName(record.name) && isModelName(record.name)) {
        found.push({ ...record, path: join(folder, record.file) });
      }
    } catch (error) {
      if (!(error instanceof ModelStoreError) && errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return found;
}

export interface AddAdapterOptions {
  /** Of the store. */
  readonly folder: string;
  /** A folder as PEFT writes it. */
  readonly source: string;
  /** Null: made from the name of the source. */
  readonly name: string | null;
  /** Of the model that it is to fit. */
  readonly config: GptjConfig;
  /** Memory of the machine: a running server takes the adapter within seconds. Default: it is not checked. */
  readonly freeBytes?: number;
  readonly tryLock: TryLock;
  readonly signal: AbortSignal;
}

/**
 * Convert an adapter into the store, replacing the one that was added under this name from the same folder. Throws
 * `address_invalid` for a name, `name_taken`, `memory_full`, `not_convertible` beyond `MAX_ADAPTERS`, `disk_full`, `io`, and the
 * `CheckpointError`s of the source, which is checked before anything is written.
 */
export async function addAdapter(options: AddAdapterOptions): Promise<StoredAdapter> {
  const { folder, config, tryLock, signal } = options;
  const source = resolve(options.source);
  const name = options.name ?? toModelName(basename(source));
  if (!isModelName(name)) {
    throw new ModelStoreError(
      'address_invalid',
      `expected a name of letters, digits, dots, - and _, got ${JSON.stringify(name.slice(0, 100))}`,
    );
  }
  await checkAdapter(source, config);
  return await withStoreLock(folder, tryLock, signal, async () => {
    const stored = await listAdapters(folder);
    checkRoom(stored, name, source);
    const unfinished = join(folder, `.${name}-${randomBytes(6).toString('hex')}.new`);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const summary = await convertAdapter({ source, target: unfinished, name, config });
      checkMemory(name, summary.sizeBytes, options.freeBytes);
      const sha256 = await hashFile(unfinished, createHash('sha256'), signal);
      const record: AdapterRecord = {
        ...summary,
        name,
        file: `${name}-${sha256.slice(0, 12)}.gguf`,
        sha256,
        fits: fitOf(config),
        source,
        storedAt: new Date().toISOString(),
      };
      const path = join(folder, record.file);
      await rename(unfinished, path);
      await syncFolder(folder);
      await writeAtomically(join(folder, recordName(name)), `${JSON.stringify(record, null, 2)}\n`);
      await removeUnnamed(folder);
      return { ...record, path };
    } catch (error) {
      await rm(unfinished, { force: true });
      throw writeError(folder, error);
    }
  });
}

function checkMemory(name: string, sizeBytes: number, freeBytes = Number.POSITIVE_INFINITY): void {
  if (sizeBytes <= freeBytes) return;
  throw new ModelStoreError(
    'memory_full',
    `${name}: expected ${gigabytes(sizeBytes)} of free memory, got ${gigabytes(freeBytes)}; gptj adapter rm frees that of another one. ENGINE_MEMORY_CHECK=off adds it all the same`,
  );
}

function checkRoom(stored: readonly StoredAdapter[], name: string, source: string): void {
  const same = stored.find((adapter) => adapter.name === name);
  if (same === undefined && stored.length >= MAX_ADAPTERS) {
    throw new ModelStoreError(
      'not_convertible',
      `expected at most ${MAX_ADAPTERS} adapters in a data folder; gptj adapter rm removes one`,
    );
  }
  if (same === undefined || same.source === source) return;
  throw new ModelStoreError(
    'name_taken',
    `expected a name that the store does not have, got ${name}, which is ${same.source}; --name gives this one another name, gptj adapter rm ${name} removes that one`,
  );
}

/** Remove an adapter. Throws `not_found`. */
export async function removeAdapter(
  folder: string,
  name: string,
  tryLock: TryLock,
  signal: AbortSignal,
): Promise<StoredAdapter> {
  return await withStoreLock(folder, tryLock, signal, async () => {
    const stored = await listAdapters(folder);
    const adapter = stored.find((each) => each.name === name);
    if (adapter === undefined) {
      const names = stored.map((each) => each.name);
      const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
      throw new ModelStoreError(
        'not_found',
        `${folder}: expected the name of a stored adapter, got ${JSON.stringify(name.slice(0, 100))}; ${there}. gptj adapter add stores one`,
      );
    }
    await rm(join(folder, recordName(name)));
    await syncFolder(folder);
    await removeUnnamed(folder);
    return adapter;
  });
}

function recordName(name: string): string {
  return `${name}.json`;
}

/** Delete what no record names: replaced and removed files, and what killed processes left. The caller holds the lock. */
async function removeUnnamed(folder: string): Promise<void> {
  const kept = new Set((await listAdapters(folder)).map(({ file }) => file));
  const left = (await readdir(folder)).filter(
    (file) => (/\.(?:gguf|new|partial)$/.test(file) && !kept.has(file)) || /\.json\.[0-9a-f]{12}\.new$/.test(file),
  );
  for (const file of left) await rm(join(folder, file), { force: true });
}
