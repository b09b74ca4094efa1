/**
 * One process per data folder, by files: for systems where `file-lock.ts` has no lock of the kernel.
 *
 * Each contender writes a lock file of its own into the folder, then looks for lock files of other living processes. A
 * contender that finds one withdraws. If two processes held the lock, the later one would have seen the other's file, so
 * at most one process holds it. Two contenders that see each other both withdraw and retry after random pauses; the
 * holder never withdraws, so the retries against it end in a refusal. The next holder deletes the files of dead
 * processes. Processes on other machines are not visible: do not share a folder among them.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataDirLock } from './data-dir-lock.ts';
import { StoreError } from './store-error.ts';

const NAME = /^server-[0-9a-f]{16}\.lock$/;
const MAX_ATTEMPTS = 8;

/** Lock an existing folder. Throws `data_dir_in_use`. */
export async function lockByProcess(folder: string): Promise<DataDirLock> {
  const name = `server-${randomBytes(8).toString('hex')}.lock`;
  const path = join(folder, name);
  for (let attempt = 1; ; attempt++) {
    // Written to another name and renamed, so that no contender reads half a file.
    await writeFile(`${path}.new`, JSON.stringify(await identity(process.pid)));
    await rename(`${path}.new`, path);
    const others = await otherHolders(folder, name);
    const living = others.find((other) => other.pid !== null);
    if (living === undefined) {
      await Promise.all(others.map((other) => rm(join(folder, other.name), { force: true })));
      return { release: () => rm(path, { force: true }) };
    }
    await rm(path, { force: true });
    if (attempt === MAX_ATTEMPTS) {
      throw new StoreError(
        'data_dir_in_use',
        `${folder} is in use by the server with process id ${living.pid}; stop it, or set DATA_DIR to another folder`,
      );
    }
    await sleep(randomInt(5, 10 + 10 * attempt));
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

/** The process id in a lock file when that process is alive and still the same one, else null. */
async function livingPid(text: string): Promise<number | null> {
  const [, pidText, startTime] = /^\{"pid":(\d+),"startTime":"([^"]*)"\}$/.exec(text) ?? [];
  if (pidText === undefined) return null;
  const pid = Number(pidText);
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process is alive and belongs to another user.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return null;
  }
  const now = (await identity(pid)).startTime;
  return now === '' || startTime === '' || now === startTime ? pid : null;
}

/** Boot id and start time distinguish a process from a later one with the same id, as after a container restart. */
async function identity(pid: number): Promise<{ readonly pid: number; readonly startTime: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Field 22, counted from after the command name, which may hold blanks and parentheses.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const boot = stat === '' ? '' : await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return { pid, startTime: ticks === '' ? '' : `${boot.trim()}/${ticks}` };
}
