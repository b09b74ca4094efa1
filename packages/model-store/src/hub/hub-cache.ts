/** The cache of Hugging Face's clients: `models--OWNER--NAME/{blobs,refs,snapshots}`. Read, never written. */
import { link, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createChecksumHash } from '../download/prefix-hash.ts';
import type { Checksum } from '../download/remote-file.ts';
import { errnoOf } from '../model-store-error.ts';
import { hashFile } from '../store/hash-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of the cache, as Hugging Face's clients find it. */
export function hubCacheFolder(env: Environment): string {
  const given = env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE;
  if (given !== undefined && given !== '') return given;
  const home = env.HF_HOME;
  if (home !== undefined && home !== '') return join(home, 'hub');
  const cache = env.XDG_CACHE_HOME;
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'huggingface', 'hub');
}

/** The name of a repository in the cache, and in the folder of a pull: it gives a converted model its name. */
export function repositoryFolder(repository: string): string {
  return `models--${repository.replaceAll('/', '--')}`;
}

/**
 * Link a file of the cache to `path`, so that it is not downloaded. False where the cache has no such file, or a damaged one.
 */
export async function linkCached(
  cache: string,
  { repository, checksum, path }: { readonly repository: string; readonly checksum: Checksum; readonly path: string },
  signal: AbortSignal,
): Promise<boolean> {
  const blob = join(cache, repositoryFolder(repository), 'blobs', checksum.hex);
  const found = await stat(blob).catch(() => null);
  if (found === null || !found.isFile()) return false;
  if ((await hashFile(blob, createChecksumHash(checksum.algorithm, found.size), signal)) !== checksum.hex) return false;
  try {
    await link(blob, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return true;
    // On another disk, or without hard links: read in place.
    await symlink(blob, path);
  }
  return true;
}

/** The commit and the files of a revision in the cache; null where it has none. */
export async function cachedSnapshot(
  cache: string,
  repository: string,
  revision: string,
): Promise<{ readonly commit: string; readonly folder: string; readonly names: readonly string[] } | null> {
  const folder = join(cache, repositoryFolder(repository));
  const ref = await readFile(join(folder, 'refs', ...revision.split('/')), 'utf8').catch(() => revision);
  const commit = ref.trim();
  if (!/^[0-9a-f]{40,64}$/.test(commit)) return null;
  const snapshot = join(folder, 'snapshots', commit);
  const names = await readdir(snapshot).catch(() => null);
  return names === null ? null : { commit, folder: snapshot, names };
}
