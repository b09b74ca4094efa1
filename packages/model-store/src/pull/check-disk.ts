import { statfs } from 'node:fs/promises';
import { gigabytes } from '@gptj-cloud/engine';
import { ModelStoreError } from '../model-store-error.ts';

/** Left free, for the store of the server. */
export const RESERVE_BYTES: number = 64 * 2 ** 20;

/** Refuse what the disk of the models cannot hold. `what` lists the parts. Throws `disk_full`. */
export async function checkDisk(models: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(models);
  const [neededBytes, freeBytes] = [bytes + RESERVE_BYTES, bavail * bsize];
  if (freeBytes >= neededBytes) return;
  throw new ModelStoreError(
    'disk_full',
    `${models}: expected ${gigabytes(neededBytes)} free (${what}), got ${gigabytes(freeBytes)}; free space, or set DATA_DIR to another disk`,
  );
}
