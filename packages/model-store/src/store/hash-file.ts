import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** The hash of a file as hexadecimal digits. */
export async function hashFile(path: string, hash: Hash, signal: AbortSignal): Promise<string> {
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20, signal })) hash.update(piece);
  return hash.digest('hex');
}
