/**
 * Persists prefixes on disk, so that the next process does not compute them again: a folder with one file per prefix, of any number
 * of models. When the folder grows beyond its limit, the least recently used files are removed. The modification time of a
 * file is its time of use.
 *
 * Other processes may use the folder at the same time: a file that another process has removed counts as absent.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { adaptersKey } from '@gptj-cloud/model';
import { type Prefix, readPrefixBytes, readPrefixHeader, TEMPORARY_SUFFIX, writePrefixFile } from './prefix-file.ts';

export interface PrefixStoreOptions {
  /** Created when it does not exist. It contains prompts of clients, so only the server's user may read it. */
  readonly folder: string;
  /** Maximum size of all files together. */
  readonly maxBytes: number;
  /** Fingerprint of the model that computes the prefixes: see `fingerprintModel`. */
  readonly model: string;
}

export interface PrefixStore {
  /** This model's prefixes, the most recently used first. */
  list(): Promise<readonly Prefix[]>;
  /** The bytes of a prefix; null when its file is absent or damaged. A damaged file is removed. */
  read(prefix: Prefix): Promise<Uint8Array | null>;
  /** Store a prefix, evicting the least recently used ones if needed. False when it is larger than the store's limit. */
  write(prefix: Prefix, bytes: Uint8Array): Promise<boolean>;
  /** Record a use of a prefix. False when its file is absent. */
  touch(prefix: Prefix): Promise<boolean>;
  remove(prefix: Prefix): Promise<void>;
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly usedAtMs: number;
}

const SUFFIX = '.prefix';
/** Writing a file never takes this long: the process that wrote an older temporary file has died. */
const ABANDONED_MS = 600_000;

/** Open a folder of prefixes. Throws the file system's error when it cannot be created. */
export async function openPrefixStore({ folder, maxBytes, model }: PrefixStoreOptions): Promise<PrefixStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await removeAbandoned(folder);
  // The fingerprint comes first in the file name, so that files of other models are recognised without being read.
  const ownPrefix = model.slice(0, 16);
  const pathOf = ({ tokens, lora }: Prefix): string => {
    const adapters = lora.length === 0 ? '' : ` ${adaptersKey(lora)}`;
    const hash = createHash('sha256').update(`${tokens.join()}${adapters}`);
    return join(folder, `${ownPrefix}-${hash.digest('hex').slice(0, 32)}${SUFFIX}`);
  };

  return {
    async list() {
      const entries = (await listEntries(folder, SUFFIX)).filter(({ name }) => name.startsWith(ownPrefix));
      const found: Prefix[] = [];
      for (const { path } of entries.sort((a, b) => b.usedAtMs - a.usedAtMs)) {
        const header = await orNull(readPrefixHeader(path));
        if (header?.model === model) found.push({ tokens: header.tokens, lora: header.lora });
        else await rm(path, { force: true });
      }
      return found;
    },
    async read(prefix) {
      const path = pathOf(prefix);
      const bytes = await orNull(readPrefixBytes(path, model, prefix));
      if (bytes === null) await rm(path, { force: true });
      return bytes;
    },
    async write(prefix, bytes) {
      if (bytes.byteLength > maxBytes) return false;
      await makeRoom(folder, maxBytes - bytes.byteLength);
      await writePrefixFile(pathOf(prefix), model, prefix, bytes);
      return true;
    },
    async touch(prefix) {
      const now = new Date();
      return (await orNull(utimes(pathOf(prefix), now, now).then(() => true))) ?? false;
    },
    remove: (prefix) => rm(pathOf(prefix), { force: true }),
  };
}

async function makeRoom(folder: string, maxBytes: number): Promise<void> {
  const entries = (await listEntries(folder, SUFFIX)).sort((a, b) => a.usedAtMs - b.usedAtMs);
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of entries) {
    if (total <= maxBytes) return;
    await rm(path, { force: true });
    total -= bytes;
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  const horizon = Date.now() - ABANDONED_MS;
  for (const { path, usedAtMs } of await listEntries(folder, TEMPORARY_SUFFIX)) {
    if (usedAtMs < horizon) await rm(path, { force: true });
  }
}

async function listEntries(folder: string, suffix: string): Promise<Entry[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const entries = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const found = await orNull(stat(path));
      return found === null ? [] : [{ name, path, bytes: found.size, usedAtMs: found.mtimeMs }];
    }),
  );
  return entries.flat();
}

/** Null for a file that does not exist: another process may have removed it. */
async function orNull<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
