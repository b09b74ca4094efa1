/**
 * One process per data folder.
 *
 * Every contender puts a file of its own into the folder, then looks for files of other living processes. Whoever
 * sees one steps back. Of two that both hold, one would have looked second and seen the other's file, so there is at
 * most one holder. Two that see each other step back both and try again after random pauses; a true holder stays, so
 * the tries end in a refusal. Files of dead processes are deleted by the next holder; nobody deletes a living one's.
 * Processes on other machines, or in containers of their own, cannot be seen: do not share a folder among those.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from './store-error.ts';

export interface DataDirLock {
  /** Let the next process in. Idempotent. */
  release(): Promise<void>;
}

const NAME = /^server-[0-9a-f]{16}\.lock$/;
const TRIES = 8;

/** Take the folder, making it where it is missing. Throws `data_dir_in_use` or `data_dir_unusable`. */
export async function lockDataDir(folder: string): Promise<DataDirLock> {
  const name = `server-${randomBytes(8).toString('hex')}.lock`;
  const path = join(folder, name);
  try {
    // Prompts and their answers are nobody else's business.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (let attempt = 1; ; attempt++) {
      // Written aside and renamed: nobody reads half a file.
      await writeFile(`${path}.new`, JSON.stringify(await identity(process.pid)));
      await rename(`${path}.new`, path);
      const others = await otherHolders(folder, name);
      const living = others.find((other) => other.pid !== null);
      if (living === undefined) {
        await Promise.all(others.map((other) => rm(join(folder, other.name), { force: true })));
        return { release: () => rm(path, { force: true }) };
      }
      await rm(path, { force: true });
      if (attempt === TRIES) {
        throw new StoreError(
          'data_dir_in_use',
          `${folder} is in use by the server with process id ${living.pid}; stop it, or set DATA_DIR to another folder`,
        );
      }
      await sleep(randomInt(5, 10 + 10 * attempt));
    }
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('data_dir_unusable', `cannot use the data folder ${folder}: ${String(error)}`, {
      cause: error,
    });
  }
}

interface Holder {
  readonly name: string;
  /** Null when the process is dead. */
  readonly pid: number | null;
}

async function otherHolders(folder: string, own: string): Promise<readonly Holder[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name) && name !== own);
  const holders = await Promise.all(
    names.map(async (name): Promise<Holder | null> => {
      const text = await readFile(join(folder, name), 'utf8').catch(() => null);
      return text === null ? null : { name, pid: await livingPid(text) };
    }),
  );
  return holders.filter((holder) => holder !== null);
}

/** The process named in a lock file if it is alive and still the same one, else null. */
async function livingPid(text: string): Promise<number | null> {
  const [, pidText, startTime] = /^\{"pid":(\d+),"startTime":"([^"]*)"\}$/.exec(text) ?? [];
  if (pidText === undefined) return null;
  const pid = Number(pidText);
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: alive, of another user.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return null;
  }
  const now = (await identity(pid)).startTime;
  return now === '' || startTime === '' || now === startTime ? pid : null;
}

/** The start time tells a process from a later one with its number, as after the restart of a container. */
async function identity(pid: number): Promise<{ readonly pid: number; readonly startTime: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Field 22, counted from after the command name, which may hold blanks and parentheses.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const boot = stat === '' ? '' : await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return { pid, startTime: ticks === '' ? '' : `${boot.trim()}/${ticks}` };
}
