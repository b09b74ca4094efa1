/**
 * The folder of one pull below `DATA_DIR/models/.pulls`: the pinned source in `pull.json`, the downloaded files, and the
 * converted file until it moves into the store. It is kept when a pull stops, and removed when it is complete.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HubListing } from '../hub/hub-listing.ts';
import { ModelStoreError } from '../model-store-error.ts';
import type { FolderLock, TryLock } from '../ports.ts';
import { writeAtomically } from '../store/model-store.ts';

export interface Staging {
  readonly folder: string;
  /** The pinned listing of an earlier pull; null: there was none. */
  readonly pinned: HubListing | null;
  pin(listing: HubListing): Promise<void>;
  /** Remove the folder, and the lock. */
  discard(): Promise<void>;
  /** Give the lock back and keep the folder. Idempotent, also after `discard`. */
  close(): Promise<void>;
}

const STATE = 'pull.json';

/** Open the folder of the pull that `key` names. Throws `in_use`. */
export async function openStaging(models: string, key: readonly string[], tryLock: TryLock): Promise<Staging> {
  const id = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
  const pulls = join(models, '.pulls');
  const folder = join(pulls, id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await tryLock(folder);
  if (lock === null) {
    throw new ModelStoreError(
      'in_use',
      `another process pulls ${key.join(' ')} into ${models}; wait for it, or stop it`,
    );
  }
  return { folder, pinned: await readPinned(folder), ...actions(pulls, folder, lock) };
}

function actions(pulls: string, folder: string, lock: FolderLock): Pick<Staging, 'pin' | 'discard' | 'close'> {
  return {
    pin: (listing) => writeAtomically(join(folder, STATE), JSON.stringify(listing)),
    async discard() {
      // The state first: a folder without it begins anew.
      await rm(join(folder, STATE), { force: true });
      for (const name of await readdir(folder)) {
        if (!name.endsWith('.lock')) await rm(join(folder, name), { recursive: true, force: true });
      }
      await lock.release();
      // Neither is empty where another process has begun a pull since.
      await rmdir(folder)
        .then(
          () => rmdir(pulls),
          () => {},
        )
        .catch(() => {});
    },
    close: () => lock.release(),
  };
}

/** What this module has written; a damaged file counts as none. */
async function readPinned(folder: string): Promise<HubListing | null> {
  const text = await readFile(join(folder, STATE), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
