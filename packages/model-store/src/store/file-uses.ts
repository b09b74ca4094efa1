/**
 * Model files of a store that running servers use. Each server has a folder of its own in `DATA_DIR/models/.uses`, which it locks as long
 * as it lives, with a list of its files. A folder without a lock is left of a server that died: it counts for nothing, and
 * the next reader removes it. The lock is one of the kernel, so it holds between containers as well.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, ModelStoreError } from '../model-store-error.ts';
import type { FolderLock, TryLock } from '../ports.ts';
import { listModels, writeAtomically } from './model-store.ts';
import { withStoreLock } from './store-lock.ts';

/** A file that a server has opened, or opens for the next request. */
export interface UsedFile {
  /** Its name in the folder of the store. */
  readonly file: string;
  /** The name by which requests choose the model. */
  readonly name: string;
  /** An owner added it while the server ran; else the settings name it. */
  readonly isAdded: boolean;
}

/** What this process uses of one store. */
export interface FileUses {
  /** Use these from now on, and no others. Removes what it used last where no record and no other server has it. */
  set(files: readonly UsedFile[]): Promise<void>;
  /** Use none. Idempotent. */
  close(): Promise<void>;
}

const usesFolder = (models: string): string => join(models, '.uses');
const LIST = 'files.json';
/** A change of the store takes milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;

/** Announce this process to those that change the store. Throws what the lock throws. */
export async function openFileUses(models: string, tryLock: TryLock): Promise<FileUses> {
  const change = <Result>(work: () => Promise<Result>): Promise<Result> =>
    withStoreLock(models, tryLock, AbortSignal.timeout(LOCK_TIMEOUT_MS), work);
  const { folder, lock } = await change(() => lockNew(usesFolder(models), tryLock));
  let used: readonly UsedFile[] = [];
  let closing: Promise<void> | undefined;
  const set = (files: readonly UsedFile[]): Promise<void> =>
    change(async () => {
      await writeAtomically(join(folder, LIST), JSON.stringify(files));
      const kept = new Set(files.map(({ file }) => file));
      const dropped = used.flatMap(({ file }) => (kept.has(file) ? [] : [file]));
      used = files;
      if (dropped.length === 0) return;
      for (const { file } of [...(await listModels(models)), ...(await readFileUses(models, tryLock))]) kept.add(file);
      for (const file of dropped) if (!kept.has(file)) await rm(join(models, file), { force: true });
    });
  const end = async (): Promise<void> => {
    try {
      await set([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
      await lock.release();
    }
  };
  return {
    set,
    close() {
      closing ??= end();
      return closing;
    },
  };
}

/** The caller holds the lock of the store: no reader takes the new folder for one of a dead server. */
async function lockNew(
  uses: string,
  tryLock: TryLock,
): Promise<{ readonly folder: string; readonly lock: FolderLock }> {
  for (;;) {
    const folder = join(uses, randomBytes(8).toString('hex'));
    const lock = await tryLock(folder);
    if (lock !== null) return { folder, lock };
  }
}

/** What living processes use, this one included. The caller holds the lock of the store. */
export async function readFileUses(models: string, tryLock: TryLock): Promise<readonly UsedFile[]> {
  const names = await readdir(usesFolder(models)).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  const found: UsedFile[] = [];
  for (const name of names) {
    const folder = join(usesFolder(models), name);
    const lock = await tryLock(folder);
    if (lock === null) {
      found.push(...(await readList(folder)));
      continue;
    }
    await rm(folder, { recursive: true, force: true });
    await lock.release();
  }
  return found;
}

/** One that has begun and has written no list yet uses nothing. */
async function readList(folder: string): Promise<readonly UsedFile[]> {
  const text = await readFile(join(folder, LIST), 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return '[]';
    throw error;
  });
  const list: unknown = JSON.parse(text);
  if (Array.isArray(list) && list.every(isUsedFile)) return list;
  throw new ModelStoreError('io', `${join(folder, LIST)}: expected an array of used files, got another file`);
}

function isUsedFile(value: unknown): value is UsedFile {
  if (typeof value !== 'object' || value === null) return false;
  const { file, name, isAdded } = value as Partial<Record<keyof UsedFile, unknown>>;
  return typeof file === 'string' && typeof name === 'string' && typeof isAdded === 'boolean';
}
