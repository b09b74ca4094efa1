/**
 * Prefixes on disk, so that the next process need not compute them again. A folder of files, one for each prefix, of
 * any number of models; the least recently used go when it grows too large. Times of modification are times of use.
 *
 * Other processes may use the folder, too: what one removes, another finds absent.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenId } from '@gptj-cloud/model';
import { ASIDE, readPrefixBytes, readPrefixHeader, writePrefixFile } from './prefix-file.ts';

export interface PrefixStoreOptions {
  /** Made when it is not there. It then holds what people sent: nobody else may read it. */
  readonly folder: string;
  /** Most bytes of all files together. */
  readonly maxBytes: number;
  /** Of the model whose prefixes these are: see `fingerprintModel`. */
  readonly model: string;
}

export interface PrefixStore {
  /** Tokens of this model's prefixes, last used first. */
  list(): Promise<readonly (readonly TokenId[])[]>;
  /** The bytes of a prefix; null when they are gone, or damaged, and then removed. */
  read(tokens: readonly TokenId[]): Promise<Uint8Array | null>;
  /** Keep a prefix, at the cost of those that were not used for longest. False: it is larger than the whole store. */
  write(tokens: readonly TokenId[], bytes: Uint8Array): Promise<boolean>;
  /** A prefix is used. False: it is gone. */
  touch(tokens: readonly TokenId[]): Promise<boolean>;
  remove(tokens: readonly TokenId[]): Promise<void>;
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly usedAtMs: number;
}

const ENDING = '.prefix';
/** Nobody writes at a file for so long: its process has died. */
const ABANDONED_MS = 600_000;

/** Open a folder of prefixes. Throws what the file system throws when it cannot be made. */
export async function openPrefixStore({ folder, maxBytes, model }: PrefixStoreOptions): Promise<PrefixStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await removeAbandoned(folder);
  // The model comes first: other models' files are told by their names.
  const mine = model.slice(0, 16);
  const pathOf = (tokens: readonly TokenId[]): string => {
    const hash = createHash('sha256').update(tokens.join());
    return join(folder, `${mine}-${hash.digest('hex').slice(0, 32)}${ENDING}`);
  };

  return {
    async list() {
      const entries = (await listEntries(folder, ENDING)).filter(({ name }) => name.startsWith(mine));
      const found: (readonly TokenId[])[] = [];
      for (const { path } of entries.sort((a, b) => b.usedAtMs - a.usedAtMs)) {
        const header = await orNull(readPrefixHeader(path));
        if (header?.model === model) found.push(header.tokens);
        else await rm(path, { force: true });
      }
      return found;
    },
    async read(tokens) {
      const path = pathOf(tokens);
      const bytes = await orNull(readPrefixBytes(path, model, tokens));
      if (bytes === null) await rm(path, { force: true });
      return bytes;
    },
    async write(tokens, bytes) {
      if (bytes.byteLength > maxBytes) return false;
      await makeRoom(folder, maxBytes - bytes.byteLength);
      await writePrefixFile(pathOf(tokens), model, tokens, bytes);
      return true;
    },
    async touch(tokens) {
      const now = new Date();
      return (await orNull(utimes(pathOf(tokens), now, now).then(() => true))) ?? false;
    },
    remove: (tokens) => rm(pathOf(tokens), { force: true }),
  };
}

async function makeRoom(folder: string, maxBytes: number): Promise<void> {
  const entries = (await listEntries(folder, ENDING)).sort((a, b) => a.usedAtMs - b.usedAtMs);
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of entries) {
    if (total <= maxBytes) return;
    await rm(path, { force: true });
    total -= bytes;
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  const horizon = Date.now() - ABANDONED_MS;
  for (const { path, usedAtMs } of await listEntries(folder, ASIDE)) {
    if (usedAtMs < horizon) await rm(path, { force: true });
  }
}

async function listEntries(folder: string, ending: string): Promise<Entry[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending));
  const entries = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const found = await orNull(stat(path));
      return found === null ? [] : [{ name, path, bytes: found.size, usedAtMs: found.mtimeMs }];
    }),
  );
  return entries.flat();
}

/** A file that is gone was another process's to remove. */
async function orNull<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
