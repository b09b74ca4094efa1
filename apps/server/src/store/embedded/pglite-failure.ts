/** Why PGlite failed, in words: it throws objects without a message, and leaves PostgreSQL's reason in its log. */
import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** The major version of the embedded PostgreSQL, as its folder names it. */
const POSTGRES_VERSION = '18';

/** Errors of Emscripten's file system by number, as its `errno.h` has them. */
const ERRNO_WORDS: ReadonlyMap<number, string> = new Map([
  [2, 'permission denied'],
  [19, 'the disk quota is used up'],
  [22, 'a file would be too large'],
  [29, 'the disk reported an error'],
  [33, 'too many files are open'],
  [41, 'too many files are open'],
  [44, 'a file is missing'],
  [51, 'no space is left on the disk'],
  [63, 'not permitted; the files belong to another user'],
  [69, 'the file system is read-only'],
]);
/** Less free space than this explains a failure that has no other reason. */
const FULL_BYTES = 2 ** 20;

/** One line with the most specific reason that is known. */
export async function describeFailure(
  folder: string | null,
  error: unknown,
  lines: readonly string[],
): Promise<string> {
  const reason =
    (folder === null ? null : await reasonInFolder(folder)) ??
    (lines.some((line) => /No space left on device|could not extend file/.test(line))
      ? 'no space is left on the disk'
      : null) ??
    errnoReason(error) ??
    reasonInLog(lines) ??
    (folder === null ? null : await fullDisk(folder)) ??
    (error instanceof Error ? error.message : String(error));
  return folder === null ? `the embedded store cannot be opened: ${reason}` : `${folder} cannot be opened: ${reason}`;
}

/** What PostgreSQL logged last before it gave up. */
export function reasonInLog(lines: readonly string[]): string | null {
  const last = lines.findLastIndex((line) => /\b(?:PANIC|FATAL):/.test(line));
  const line = last === -1 ? undefined : lines[last];
  if (line === undefined) return null;
  const hint = lines.slice(last + 1).find((each) => /\b(?:DETAIL|HINT):/.test(each));
  const words = (text: string): string => text.replace(/^.*?\b(?:PANIC|FATAL|DETAIL|HINT):\s*/, '');
  return `PostgreSQL reports: ${words(line)}${hint === undefined ? '' : `; ${words(hint)}`}`;
}

/** A number of Emscripten's file system in words; null for other errors. */
export function errnoReason(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const errno: unknown = Reflect.get(error, 'errno');
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' && error instanceof Error) return error.message;
  if (typeof errno !== 'number') return null;
  return ERRNO_WORDS.get(errno) ?? `error ${errno} of the file system`;
}

async function reasonInFolder(folder: string): Promise<string | null> {
  const found = await stat(folder).catch(() => null);
  if (found === null) return null;
  if (!found.isDirectory()) return 'expected a folder, got a file';
  const version = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch((error: unknown) => error);
  if (typeof version === 'string' && version.trim() !== POSTGRES_VERSION) {
    return `expected data of PostgreSQL ${POSTGRES_VERSION}, got those of version ${JSON.stringify(version.trim())}`;
  }
  const user = process.getuid?.();
  for (const name of ['.', 'PG_VERSION', 'global', 'global/pg_control', 'pg_wal', 'base']) {
    const path = join(folder, name);
    const status = await stat(path).catch(() => null);
    if (status === null) continue;
    try {
      await access(path, constants.R_OK | constants.W_OK);
    } catch {
      return `${path} belongs to user ${status.uid} and cannot be read and written by user ${user ?? 'of this process'}; change its owner`;
    }
  }
  return null;
}

async function fullDisk(folder: string): Promise<string | null> {
  const space = await statfs(folder).catch(() => null);
  return space !== null && space.bavail * space.bsize < FULL_BYTES ? 'no space is left on the disk' : null;
}
