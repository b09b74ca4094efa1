/** Keeps the keys that requests found, on a store that this process alone writes: most requests then need no query for theirs. */
import type { Store } from '../../store/db.ts';
import type { WriteWatch } from '../../store/write-watch.ts';
import { hashSecret } from '../secret.ts';
import { createKeyFinder, type FoundApiKey } from './api-key-store.ts';

/** The tables that the query of a key reads. */
export const KEY_TABLES = ['api_keys', 'users', 'projects', 'project_members'] as const;
/** Keys in memory; beyond, all are forgotten. */
const MAX_KEYS = 1000;

/** Create the function that finds the key of a token for requests: with a memory where this process alone writes the store. */
export function openKeyFinder({ db, writes }: Store): (token: string) => Promise<FoundApiKey | null> {
  const find = createKeyFinder(db);
  return writes === null ? find : rememberKeys(find, writes);
}

/**
 * As `find`, which is called for tokens whose key is not in memory. Every write to one of the tables empties the memory, so
 * that a revocation takes effect at once. Unknown tokens are not kept: an attacker has any number of them.
 */
export function rememberKeys(
  find: (token: string) => Promise<FoundApiKey | null>,
  writes: WriteWatch,
): (token: string) => Promise<FoundApiKey | null> {
  const writeCount = writes.of(KEY_TABLES);
  const found = new Map<string, FoundApiKey>();
  let countThen = writeCount();
  return async (token) => {
    if (writeCount() !== countThen) {
      found.clear();
      countThen = writeCount();
    }
    const hash = hashSecret(token);
    const known = found.get(hash);
    if (known !== undefined) return known;
    const countBefore = countThen;
    const key = await find(token);
    // A write that was sent meanwhile may have come after this answer.
    if (key === null || writeCount() !== countBefore || countThen !== countBefore) return key;
    if (found.size >= MAX_KEYS) found.clear();
    found.set(hash, key);
    return key;
  };
}
