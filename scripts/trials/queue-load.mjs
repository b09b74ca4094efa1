// Logical workers that claim, execute and end runs with the server's own statements on a temporary PostgreSQL: the cost of idle
// workers, claims a second and their times, dead rows, and how long the ten runs of one account wait beside those of another.
// The second round holds a transaction open, which keeps dead rows from being removed. A thousand workers in one process wait for
// the connections and the processor that they share: a lone worker, in a thread with two connections of its own, shows what the
// queue takes.
//
//   node scripts/trials/queue-load.mjs [workers, 1000] [runs, 100000] [slots, 8] [seconds of a run, 20] [seconds of a round, 60]
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { insertProject, insertUser } from '../../apps/server/dist/identity/users/user-store.js';
import { beatNode } from '../../apps/server/dist/runs/nodes/node-store.js';
import { claimRuns } from '../../apps/server/dist/runs/run-claim-store.js';
import { endRuns } from '../../apps/server/dist/runs/run-store.js';
import { batched } from '../../apps/server/dist/store/batched.js';
import { openPostgres } from '../../apps/server/dist/store/postgres.js';
import { startTemporaryPostgres } from './temporary-postgres.mjs';

const [workerCount = 1000, runCount = 100_000, slots = 8, runSeconds = 20, roundSeconds = 60] = process.argv
  .slice(2)
  .map(Number);
const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const FIRST_PROJECT = `project_${'0'.repeat(32)}`;
const POLL_MS = 1_000;
const BEAT_MS = 10_000;
const FEW = 10;

/** The thread of the lone worker: claims eight runs a few times a second and ends them. */
async function workAlone() {
  const alone = await openPostgres(workerData.url, { maxConnections: 2 });
  const id = randomUUID();
  const times = { claimMs: [], statementMs: [] };
  let isOver = false;
  parentPort.once('message', () => {
    isOver = true;
  });
  while (!isOver) {
    await beatNode(alone.db, { id, url: null, load: { slots, busy: 0, isDraining: false, models: [] } });
    const asked = performance.now();
    await alone.db.execute('SELECT 1');
    times.statementMs.push(performance.now() - asked);
    const begun = performance.now();
    const lease = { owner: id, ms: 30_000 };
    const claim = { limit: slots, lease, now: new Date(), queues: [PIPELINE], random: Math.random() };
    const runs = await claimRuns(alone.db, claim);
    if (runs.length > 0) times.claimMs.push(performance.now() - begun);
    const failure = { error: 'pipeline_fault', exception: 'trial', traceback: '' };
    const endings = runs.map((run) => ({
      ender: { runId: run.id, projectId: run.projectId, owner: id, endedAt: new Date() },
      cost: null,
      execution: null,
      end: { failure },
    }));
    if (endings.length > 0) await alone.db.transaction((tx) => endRuns(tx, endings));
    await sleep(100);
  }
  await alone.close();
  parentPort.postMessage(times);
}

if (!isMainThread) {
  await workAlone();
  process.exit();
}

function startLoneWorker() {
  const thread = new Worker(fileURLToPath(import.meta.url), {
    workerData: { url: postgres.url },
    argv: process.argv.slice(2),
  });
  const times = new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
  return async () => {
    thread.postMessage('end');
    return await times;
  };
}

const postgres = await startTemporaryPostgres();
const store = await openPostgres(postgres.url, { maxConnections: 20 });
const { db } = store;
const end = batched('end', (endings) => db.transaction(async (tx) => (await endRuns(tx, endings)).stored));

/** Workers until `isOver`; what they saw. */
function startWorkers() {
  const seen = { claims: 0, claimed: 0, ended: 0, ms: [], busyMs: [], startedAt: new Map() };
  let isOver = false;
  const work = async () => {
    const id = randomUUID();
    let free = slots;
    let beatAt = 0;
    let wake = () => {};
    const execute = async (run) => {
      seen.startedAt.set(run.id, performance.now());
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
        const begun = performance.now();
        const runs = await claimRuns(db, {
          limit: free,
          lease: { owner: id, ms: 30_000 },
          now: new Date(),
          queues: [PIPELINE],
          random: Math.random(),
        });
        const ms = performance.now() - begun;
        seen.claims++;
        seen.claimed += runs.length;
        (runs.length > 0 ? seen.busyMs : seen.ms).push(ms);
        free -= runs.length;
        for (const run of runs) void execute(run).catch(() => {});
      }
      const wakened = new Promise((resolve) => {
        wake = resolve;
      });
      await Promise.race([wakened, sleep(POLL_MS * (0.9 + Math.random() / 5), undefined, { ref: false })]);
    }
  };
  const all = Promise.all(Array.from({ length: workerCount }, () => work().catch((error) => console.error(error))));
  return {
    seen,
    async stop() {
      isOver = true;
      await all;
    },
  };
}

/** Processor seconds of every process of the PostgreSQL server. */
function postgresSeconds() {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const isOurs = command.includes(postgres.folder) || isBelow(fields[1]);
      // With those of children that ended.
      if (isOurs) ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended.
    }
  }
  return ticks / 100;
}

function isBelow(parent) {
  return readFileSync(`/proc/${parent}/cmdline`, 'utf8').includes(postgres.folder);
}

const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
const show = (ms) => `${ms.toFixed(1)} ms`;

async function storeRuns(projectId, count, prefix) {
  await db.execute(`
    INSERT INTO runs (id, project_id, pipeline_id, data_id, state, created_at, admission_ticket, prompt_head, search_text, account_id)
    SELECT 'run_${prefix}' || lpad(to_hex(i), 30, '0'), '${projectId}', '${PIPELINE}', 'trial', 'received', now() + i * interval '1 us',
      repeat('t', 200), repeat('h', 100), repeat('s', 100), (SELECT owner_id FROM projects WHERE id = '${projectId}')
    FROM generate_series(1, ${count}) i`);
}

async function round(name) {
  const before = postgresSeconds();
  const { seen, stop } = startWorkers();
  const begun = performance.now();
  let fewAt = 0;
  let lone = null;
  const endLone = name === 'idle' ? null : startLoneWorker();
  if (name !== 'idle') {
    await sleep(roundSeconds * 500);
    lone = await endLone();
    // In the middle, when every slot is taken and the queue is long.
    await storeRuns(few, FEW, 'ff');
    fewAt = performance.now();
    await sleep(roundSeconds * 500);
  } else await sleep(roundSeconds * 250);
  const seconds = (performance.now() - begun) / 1000;
  const cpu = (postgresSeconds() - before) / seconds;
  const { rows } = await db.execute(
    `SELECT relname AS name, n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname IN ('runs', 'nodes') ORDER BY 1 DESC`,
  );
  await stop();
  const dead = rows.map((row) => `${row.name} ${row.dead}`).join(', ');
  console.log(
    `${name}: ${Math.round(seen.claims / seconds)} claims/s, ${Math.round(seen.claimed / seconds)} runs claimed and ` +
      `${Math.round(seen.ended / seconds)} ended a second; empty claims p50 ${show(quantile(seen.ms, 0.5))}, p99 ${show(quantile(seen.ms, 0.99))}; ` +
      `others p50 ${show(quantile(seen.busyMs, 0.5))}, p99 ${show(quantile(seen.busyMs, 0.99))}; PostgreSQL ${cpu.toFixed(2)} cores; dead rows: ${dead}`,
  );
  if (lone !== null) {
    console.log(
      `  a worker with connections of its own: ${lone.claimMs.length} claims of runs p50 ${show(quantile(lone.claimMs, 0.5))}, ` +
        `p99 ${show(quantile(lone.claimMs, 0.99))}; SELECT 1 p50 ${show(quantile(lone.statementMs, 0.5))}, p99 ${show(quantile(lone.statementMs, 0.99))}`,
    );
  }
  if (fewAt === 0) return;
  const waits = [...seen.startedAt].filter(([id]) => id.startsWith('run_ff')).map(([, at]) => (at - fewAt) / 1000);
  console.log(
    `  ${waits.length} of ${FEW} runs of a second account began, the last after ${Math.max(...waits).toFixed(1)} s = ` +
      `${(Math.max(...waits) / runSeconds).toFixed(2)} run times`,
  );
}

async function refill() {
  await db.execute(`TRUNCATE runs CASCADE`);
  await storeRuns(FIRST_PROJECT, runCount, '00');
  await db.execute(`ANALYZE runs`);
}

let few = '';
try {
  await db.execute(`INSERT INTO files (id, project_id, name, path, bytes, created_at, size_bytes, is_stored)
    VALUES ('trial', '${FIRST_PROJECT}', 'data', 'trial', 'x', now(), 1, true)`);
  await db.execute(
    `INSERT INTO data (id, project_id, file_id, created_at) VALUES ('trial', '${FIRST_PROJECT}', 'trial', now())`,
  );
  const wanted = { email: 'few@example.com', username: 'few', passwordHash: null, planId: 'p', verifiedAt: null };
  few = await insertProject(db, (await insertUser(db, wanted, new Date())).id, 'few', new Date());
  console.log(`${workerCount} workers with ${slots} slots, ${runCount} runs of ${runSeconds} s`);
  await round('idle');
  await refill();
  await round('loaded');
  await refill();
  let release = () => {};
  const held = db.transaction(
    async (tx) => {
      await tx.execute(`SET LOCAL idle_in_transaction_session_timeout = 0`);
      await tx.execute(`SELECT count(*) FROM nodes`);
      await new Promise((resolve) => {
        release = resolve;
      });
    },
    { isolationLevel: 'repeatable read' },
  );
  await sleep(100);
  await round('loaded, with an idle transaction');
  release();
  await held;
} finally {
  await store.close();
  postgres.close();
}
