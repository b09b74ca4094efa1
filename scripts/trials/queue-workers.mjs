// A process of logical workers for queue-load.mjs: they claim, execute and end runs with the server's own statements, through one pool of
// connections. `startWorkers` starts it; the file itself is what it executes.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const POLL_MS = 1_000;
const BEAT_MS = 10_000;
const PROBE_MS = 100;
const SELF = fileURLToPath(import.meta.url);

/**
 * Starts a process of `workers` with `slots` each and `connections` to `url` for all of them, whose runs take `runSeconds`. `stop`
 * resolves to what they saw: numbers of claims and of runs claimed and ended, milliseconds of empty claims, of claims of runs before and
 * after `mark`, and of `SELECT 1` on another connection, and seconds of the processor.
 */
export async function startWorkers(config) {
  const child = fork(SELF, [JSON.stringify(config)]);
  await once(child, 'message');
  return {
    begin: () => child.send('begin'),
    mark: () => child.send('mark'),
    async stop() {
      child.send('stop');
      const [seen] = await once(child, 'message');
      return seen;
    },
  };
}

if (process.argv[1] === SELF) await work(JSON.parse(process.argv[2]));

async function work({ url, workers, slots, connections, runSeconds }) {
  const { beatNode } = await import('../../apps/server/dist/runs/nodes/node-store.js');
  const { claimRuns } = await import('../../apps/server/dist/runs/run-claim-store.js');
  const { endRuns } = await import('../../apps/server/dist/runs/run-store.js');
  const { batched } = await import('../../apps/server/dist/store/batched.js');
  const { openPostgres } = await import('../../apps/server/dist/store/postgres.js');
  const store = await openPostgres(url, { maxConnections: connections });
  const probe = await openPostgres(url, { maxConnections: 1 });
  const { db } = store;
  const end = batched('end', (endings) => db.transaction(async (tx) => (await endRuns(tx, endings)).stored));
  const seen = { claims: 0, claimed: 0, ended: 0, emptyMs: [], earlyMs: [], claimMs: [], selectMs: [], cpuSeconds: 0 };
  let isOver = false;

  const startWorker = async () => {
    const id = randomUUID();
    let free = slots;
    let beatAt = Number.NEGATIVE_INFINITY;
    let wake = () => {};
    const execute = async (run) => {
      await sleep(runSeconds * 1000 * (0.75 + Math.random() / 2), undefined, { ref: false });
      if (isOver) return;
      const ender = { runId: run.id, projectId: run.projectId, owner: id, endedAt: new Date() };
      const failure = { error: 'pipeline_fault', exception: 'trial', traceback: '' };
      if (await end({ ender, cost: null, execution: null, end: { failure } })) seen.ended++;
      free++;
      wake();
    };
    await sleep(Math.random() * POLL_MS);
    while (!isOver) {
      if (performance.now() - beatAt > BEAT_MS) {
        beatAt = performance.now();
        await beatNode(db, { id, url: null, load: { slots, busy: slots - free, isDraining: false, models: [] } });
      }
      if (free > 0) {
        const lease = { owner: id, ms: 30_000 };
        const claim = { limit: free, lease, now: new Date(), queues: [PIPELINE], random: Math.random() };
        const begun = performance.now();
        const runs = await claimRuns(db, claim);
        (runs.length > 0 ? seen.claimMs : seen.emptyMs).push(performance.now() - begun);
        seen.claims++;
        seen.claimed += runs.length;
        free -= runs.length;
        for (const run of runs) void execute(run).catch(() => {});
      }
      const wakened = new Promise((resolve) => {
        wake = resolve;
      });
      await Promise.race([wakened, sleep(POLL_MS * (0.9 + Math.random() / 5), undefined, { ref: false })]);
    }
  };
  const watchDatabase = async () => {
    while (!isOver) {
      const begun = performance.now();
      await probe.db.execute('SELECT 1');
      seen.selectMs.push(performance.now() - begun);
      await sleep(PROBE_MS);
    }
  };

  const order = async (name) => {
    for await (const [message] of on(process, 'message')) if (message === name) return;
  };
  const begun = order('begin');
  const stopped = order('stop');
  process.on('message', (message) => {
    if (message === 'mark') seen.earlyMs = seen.claimMs.splice(0);
  });
  process.send('ready');
  await begun;
  const before = process.cpuUsage();
  const loops = [watchDatabase(), ...Array.from({ length: workers }, startWorker)];
  await stopped;
  isOver = true;
  const { user, system } = process.cpuUsage(before);
  for (const { reason } of await Promise.allSettled(loops)) if (reason !== undefined) console.error(reason);
  process.send({ ...seen, cpuSeconds: (user + system) / 1e6 });
  await store.close();
  await probe.close();
  process.disconnect();
}
