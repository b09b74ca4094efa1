// Fills the disk of a server with the embedded store to the last byte, again and again, while clients make runs. Every
// request must be answered, /readyz must report the full disk, and the server must go on when there is room, with every
// acknowledged run. Needs root, for a tmpfs.
//
//   node scripts/trials/full-disk.mjs [fills, 10] [megabytes of the disk, 200] [clients, 3]
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultsOf, progress, show, startClients, startServer, until } from './served-clients.mjs';

const [fills = 10, sizeMb = 200, clientCount = 3] = process.argv.slice(2).map(Number);
const FULL_SECONDS = 5;

const folder = mkdtempSync(join(tmpdir(), 'gptj-full-disk-'));
const disk = join(folder, 'disk');
mkdirSync(disk);
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', disk]);
const filler = join(disk, 'filler');

/** Leaves no byte; what others freed meanwhile is taken, too. */
function fill() {
  const file = openSync(filler, 'a');
  for (const size of [2 ** 20, 4096, 1]) {
    try {
      for (;;) writeSync(file, new Uint8Array(size));
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  }
  closeSync(file);
}

let server = null;
const problems = [];
try {
  server = await startServer({ DATA_DIR: join(disk, 'data') });
  const readyStatus = async () => (await fetch(`${server.url}/readyz`, { signal: AbortSignal.timeout(10_000) })).status;
  const clients = startClients(clientCount, () => [server.url], { requestTimeoutMs: 60_000 });
  for (let i = 1; i <= fills; i++) {
    await sleep(1000 + Math.random() * 2000);
    const before = clients.acknowledged.size;
    fill();
    const full = setInterval(fill, 200);
    if (!(await until(async () => (await readyStatus()) === 503, { limitMs: 15_000 })))
      problems.push(`fill ${i}: /readyz stays 200`);
    await sleep(FULL_SECONDS * 1000);
    const health = await fetch(`${server.url}/healthz`, { signal: AbortSignal.timeout(10_000) });
    if (health.status !== 200) problems.push(`fill ${i}: /healthz ${health.status}`);
    clearInterval(full);
    rmSync(filler);
    if (!(await until(async () => (await readyStatus()) === 200, { limitMs: 60_000 })))
      problems.push(`fill ${i}: not ready again`);
    const during = clients.acknowledged.size;
    if (!(await until(() => clients.acknowledged.size > during, { limitMs: 90_000 })))
      problems.push(`fill ${i}: no run after there was room`);
    const { bavail, bsize } = statfsSync(disk);
    progress(
      `fill ${i} of ${fills}: ${clients.acknowledged.size} runs acknowledged (${during - before} while it was full), ` +
        `${Math.round((bavail * bsize) / 2 ** 20)} MB free; ${show(clients.statuses)}`,
    );
    if (server.ended !== null)
      throw new Error(`the server ended: ${server.ended}\n${server.lines.slice(-20).join('\n')}`);
  }
  await clients.stop();
  if (clients.statuses.has('no reply in time')) problems.push('requests had no reply in time');
  problems.push(...(await faultsOf(server.url, clients.acknowledged.keys())).faults);
  console.log(
    `\n${fills} fills: ${clients.acknowledged.size} runs acknowledged; ${show(clients.statuses)}; slowest reply ${Math.round(clients.slowestMs)} ms`,
  );
  fill();
  const tookMs = await server.stop('SIGTERM', 60_000);
  console.log(`SIGTERM on a full disk ended the server within ${Math.round(tookMs)} ms`);
} catch (error) {
  problems.push(error.message);
} finally {
  await server?.stop('SIGKILL');
  execFileSync('umount', ['-l', disk]);
  rmSync(folder, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) console.error(server?.lines.slice(-30).join('\n'));
process.exitCode = problems.length > 0 ? 1 : 0;
