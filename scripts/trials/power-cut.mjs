// Power cuts of a server with the embedded store, simulated on a loop device: an image with ext4 is copied at random
// moments under load, with what the kernel has sent to the device by then and nothing else. Every copy must open, and hold
// every run that was acknowledged before the copy began. Needs root, for losetup and mount.
//
//   node scripts/trials/power-cut.mjs [cuts, 20] [longest seconds after a start, 90] [clients, 4]
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultsOf, progress, show, startClients, startServer } from './served-clients.mjs';

const [cuts = 20, maxSeconds = 90, clientCount = 4] = process.argv.slice(2).map(Number);
const CUTS_OF_A_START = 4;
const IMAGE_MB = 600;

const run = (command, ...words) =>
  execFileSync(command, words, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
const folder = mkdtempSync(join(tmpdir(), 'gptj-power-cut-'));
const image = join(folder, 'disk.img');
const disk = join(folder, 'disk');
const copied = join(folder, 'copy');
mkdirSync(disk);
mkdirSync(copied);
run('truncate', '-s', `${IMAGE_MB}M`, image);
run('mkfs.ext4', '-q', '-F', image);
run('mount', '-o', 'loop', image, disk);

/** The state of the device at one moment: copied until two copies are the same. */
function copyImage(target) {
  run('cp', '--sparse=always', image, target);
  for (;;) {
    run('cp', '--sparse=always', image, `${target}.next`);
    try {
      run('cmp', '-s', target, `${target}.next`);
      rmSync(`${target}.next`);
      return;
    } catch {
      run('mv', `${target}.next`, target);
    }
  }
}

const faults = [];
let server = null;
let done = 0;
let acknowledgedInAll = 0;
try {
  const acknowledged = new Set();
  while (done < cuts) {
    const moments = Array.from(
      { length: Math.min(CUTS_OF_A_START, cuts - done) },
      () => 1 + Math.random() * (maxSeconds - 1),
    );
    // The first is early: a store is most fragile when it has just begun.
    moments[0] = 1 + Math.random() * 4;
    moments.sort((a, b) => a - b);
    server = await startServer({ DATA_DIR: join(disk, 'data') });
    const startedAt = performance.now();
    const clients = startClients(clientCount, () => [server.url]);
    const copies = [];
    for (const seconds of moments) {
      await sleep(Math.max(0, startedAt + seconds * 1000 - performance.now()));
      const before = new Set([...acknowledged, ...clients.acknowledged.keys()]);
      // Stands still while the image is copied, so that the copy is of one moment.
      process.kill(server.pid, 'SIGSTOP');
      const copy = join(folder, `cut-${copies.length}.img`);
      copyImage(copy);
      process.kill(server.pid, 'SIGCONT');
      copies.push({ copy, seconds, before });
    }
    await clients.stop();
    for (const id of clients.acknowledged.keys()) acknowledged.add(id);
    acknowledgedInAll = acknowledged.size;
    await server.stop('SIGKILL');
    server = null;
    for (const { copy, seconds, before } of copies) {
      run('mount', '-o', 'loop', copy, copied);
      try {
        const reopened = await startServer({ DATA_DIR: join(copied, 'data') });
        try {
          const found = await faultsOf(reopened.url, before);
          faults.push(...found.faults.map((fault) => `cut ${seconds.toFixed(1)} s after a start: ${fault}`));
          const lost = found.faults.length;
          done++;
          progress(
            `cut ${done} of ${cuts}, ${seconds.toFixed(1)} s after a start: ${before.size} acknowledged runs, ${lost} faults; ${show(clients.statuses)}`,
          );
        } finally {
          await reopened.stop('SIGKILL');
        }
      } catch (error) {
        done++;
        faults.push(`cut ${seconds.toFixed(1)} s after a start: does not open: ${error.message}`);
        progress(faults.at(-1));
      } finally {
        run('umount', copied);
        rmSync(copy);
      }
    }
  }
} finally {
  await server?.stop('SIGKILL');
  for (const mounted of [copied, disk]) {
    try {
      run('umount', mounted);
    } catch {
      // It is not mounted.
    }
  }
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${done} power cuts, ${acknowledgedInAll} acknowledged runs: ${faults.length} faults`);
for (const fault of faults.slice(0, 50)) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
