import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm run bench:peers` puts what it builds. */
const BUILT = fileURLToPath(new URL('../../.cache/peers/bin/', import.meta.url));

/** Path of a peer: what the environment variable `variable` names, else the program on the PATH, else the one that was built here. */
export function findPeer(program: string, variable: string): string | null {
  const given = process.env[variable];
  if (given !== undefined) return existsSync(given) ? given : null;
  const folders = [...(process.env.PATH ?? '').split(delimiter), BUILT];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}
