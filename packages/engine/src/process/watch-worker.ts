/** Main module of the thread that `watchMainThread` starts. */
import { readFileSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { LOOK_MS, toReport, WATCH_FD } from './signs-of-life.ts';
import type { WatchData } from './watch-main-thread.ts';

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

const { shared, parentPid } = workerData as WatchData;

/** On Linux the main thread has the id of the process. Other systems do not report the time of one thread. */
function mainThreadCpuMs(): number | null {
  if (process.platform !== 'linux') return null;
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
    // The name in brackets may hold blanks. `utime` and `stime` are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? ticks * TICK_MS : null;
  } catch {
    return null;
  }
}

function look(): void {
  try {
    // Where parents are replaced by another process when they end, the parent's id shows it; elsewhere the closed pipe does.
    if (process.ppid === parentPid) {
      writeSync(WATCH_FD, toReport(shared, mainThreadCpuMs()));
      return;
    }
  } catch {
    // The server's process has closed its end of the pipe.
  }
  process.kill(process.pid, 'SIGKILL');
}

setInterval(look, LOOK_MS);
