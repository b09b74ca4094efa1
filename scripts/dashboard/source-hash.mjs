// What the built dashboard depends on, as one hash: a build is skipped while it is unchanged.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES = [
  'package-lock.json',
  ...['build.mjs', 'index.html', 'package.json', 'vite.config.ts'].map((name) => `apps/dashboard/${name}`),
];
const FOLDERS = [
  'apps/dashboard/src',
  'apps/dashboard/public',
  ...['sdk', 'decoding', 'protocol', 'model'].map((name) => `packages/${name}/src`),
  'scripts/dashboard',
];
const TEST = /\.(?:test|contract)\.\w+$/;

/** SHA-256 over the names and bytes of the sources below the project's `root`, in hex. */
export function sourceHash(root) {
  const hash = createHash('sha256');
  for (const name of [...FILES, ...FOLDERS.flatMap((folder) => filesBelow(root, folder))]) {
    const bytes = readFileSync(join(root, name));
    hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

function filesBelow(root, folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && !TEST.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}
