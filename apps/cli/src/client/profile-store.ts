/**
 * Stored profiles: the address of a server and an API token, one file each, in a folder of the user.
 *
 * Files are written beside their place with mode 0600 and renamed into it, so a process that ends in between leaves the
 * earlier file, and two processes that write leave one of the two. One file a profile: a login never touches another one.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '@gptj-cloud/server';
import { writeNewFile } from '../write-new-file.ts';

export interface Profile {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  /** Id of the token on the server; null where the server did not show it. */
  readonly tokenId: string | null;
  /** E-mail address of the account. */
  readonly user: string | null;
  /** Whether `gptj login` created the token, so that `gptj logout` deletes it. */
  readonly ownsToken: boolean;
}

export interface ProfileStore {
  readonly folder: string;
  /** Names in alphabetical order. */
  names(): Promise<readonly string[]>;
  /** Null where there is none. Throws `ProfileError` for a file that is damaged. */
  read(name: string): Promise<Profile | null>;
  write(profile: Profile): Promise<void>;
  /** Whether there was one. */
  delete(name: string): Promise<boolean>;
  /** The profile in use; null where none is. */
  current(): Promise<string | null>;
  use(name: string | null): Promise<void>;
  /** Whether other users of the machine may read the profile. */
  isExposed(name: string): Promise<boolean>;
}

class ProfileError extends Error {
  override readonly name = 'ProfileError';
  readonly code = 'profile';
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** A profile has a few hundred bytes. */
const MAX_BYTES = 64 * 1024;

/** The name that a login to `url` gets: its host. */
export function defaultProfileName(url: string): string {
  const name = new URL(url).host.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
  return NAME.test(name) ? name : 'default';
}

export function isProfileName(name: string): boolean {
  return NAME.test(name);
}

/** The folder of settings: APPDATA on Windows, elsewhere XDG_CONFIG_HOME or ~/.config. */
export function configFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32' && env.APPDATA) return join(env.APPDATA, 'gptj');
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'gptj');
}

export function openProfileStore(env: NodeJS.ProcessEnv): ProfileStore {
  const folder = configFolder(env);
  const profiles = join(folder, 'profiles');
  const fileOf = (name: string): string => {
    if (NAME.test(name)) return join(profiles, `${name}.json`);
    const expected = 'expected up to 64 lower-case letters, digits, dots, hyphens and underscores';
    throw new ProfileError(`profile ${JSON.stringify(name)}: ${expected}`);
  };
  const settings = join(folder, 'settings.json');
  return {
    folder,
    async names() {
      const files = await readdir(profiles).catch(ignoreMissing);
      const names = (files ?? []).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));
      return names.filter((name) => NAME.test(name)).sort();
    },
    async read(name) {
      const path = fileOf(name);
      const fields = await readObject(path);
      if (fields === null) return null;
      const text = (field: string): string => {
        const value = fields[field];
        if (typeof value === 'string') return value;
        throw new ProfileError(`${path}: expected ${field} to be a string; log in again, or delete the file`);
      };
      return {
        name,
        url: text('url'),
        token: text('token'),
        tokenId: typeof fields.token_id === 'string' ? fields.token_id : null,
        user: typeof fields.user === 'string' ? fields.user : null,
        ownsToken: fields.owns_token === true,
      };
    },
    async write({ name, url, token, tokenId, user, ownsToken }) {
      await writeObject(fileOf(name), { url, token, token_id: tokenId, user, owns_token: ownsToken });
    },
    async delete(name) {
      const path = fileOf(name);
      const exists = (await stat(path).catch(ignoreMissing)) !== null;
      await rm(path, { force: true });
      return exists;
    },
    async current() {
      const name = (await readObject(settings))?.profile;
      return typeof name === 'string' && NAME.test(name) ? name : null;
    },
    async use(name) {
      await writeObject(settings, { profile: name });
    },
    async isExposed(name) {
      if (process.platform === 'win32') return false;
      const found = await stat(fileOf(name)).catch(ignoreMissing);
      return found !== null && (found.mode & 0o077) !== 0;
    },
  };
}

async function readObject(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const found = await stat(path).catch(ignoreMissing);
  if (found === null) return null;
  if (!found.isFile() || found.size > MAX_BYTES) {
    throw new ProfileError(`${path}: expected a file of at most ${MAX_BYTES} bytes`);
  }
  const text = await readFile(path, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Reported below, like other JSON.
  }
  throw new ProfileError(`${path}: expected a JSON object; log in again, or delete the file`);
}

async function writeObject(path: string, value: object): Promise<void> {
  await makeFolder(dirname(path), 0o700);
  await writeNewFile(path, `${JSON.stringify(value, null, 2)}\n`, { overwrite: true, mode: 0o600 });
}

function ignoreMissing(error: unknown): null {
  const code: unknown = Reflect.get(Object(error), 'code');
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  throw error;
}
