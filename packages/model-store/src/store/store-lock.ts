import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TryLock } from '../ports.ts';

const POLL_MS = 50;

/** Run a change of the store's files while no other process makes one: each takes milliseconds. */
export async function withStoreLock<Result>(
  models: string,
  tryLock: TryLock,
  signal: AbortSignal,
  change: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    const lock = await tryLock(join(models, '.changes'));
    if (lock !== null) {
      try {
        return await change();
      } finally {
        await lock.release();
      }
    }
    await delay(POLL_MS, undefined, { signal });
  }
}
