// Logical workers that claim, execute and end runs with the server's own statements on a temporary PostgreSQL: the cost of idle
// workers, claims a second and their times, dead rows, and how long the ten runs of one account wait beside those of another.
// The workers are spread over processes with a pool of connections each. The second loaded round holds a transaction open, which keeps
// dead rows from being removed. In the first half of a loaded round a lone worker, in a process with two connections of its own, shows
// what the queue takes where no worker waits for another. A round ends early when every run has ended.
//
//   node scripts/trials/queue-load.mjs [--processes 4] [--connections 20]
//     [workers, 1000] [runs, 100000] [slots, 8] [seconds of a run, 20] [seconds of a round, 60]
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { insertProject, insertUser } from '../../apps/server/dist/identity/users/user-store.js';
import { openPostgres } from '../../apps/server/dist/store/postgres.js';
import { PIPELINE, startWorkers } from './queue-workers.mjs';
import { watchSessions } from './session-waits.mjs';
import { startTemporaryPostgres } from './temporary-postgres.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { processes: { type: 'string', default: '4' }, connections: { type: 'string', default: '20' } },
});
const [workerCount = 1000, runCount = 100_000, slots = 8, runSeconds = 20, roundSeconds = 60] = positionals.map(Number);
const processCount = Number(values.processes);
const connections = Number(values.connections);
const FIRST_PROJECT = `project_${'0'.repeat(32)}`;
const FEW = 10;
const LONE_RUN_SECONDS = 0.1;

const postgres = await startTemporaryPostgres();
const store = await openPostgres(postgres.url, { maxConnections: 4 });
const { db } = store;

/** Processes with all workers; what they saw together. */
async function startAllWorkers() {
  const config = { url: postgres.url, workers: workerCount / processCount, slots, connections, runSeconds };
  const processes = await Promise.all(Array.from({ length: processCount }, () => startWorkers(config)));
  for (const each of processes) each.begin();
  return {
    mark() {
      for (const each of processes) each.mark();
    },
    async stop() {
      const all = await Promise.all(processes.map((each) => each.stop()));
      const sum = (name) => all.reduce((total, seen) => total + seen[name], 0);
      const join = (name) => all.flatMap((seen) => seen[name]);
      return {
        claims: sum('claims'),
        claimed: sum('claimed'),
        ended: sum('ended'),
        cpuSeconds: sum('cpuSeconds'),
        emptyMs: join('emptyMs'),
        earlyMs: join('earlyMs'),
        claimMs: join('claimMs'),
        selectMs: join('selectMs'),
      };
    },
  };
}

async function startLoneWorker() {
  const lone = await startWorkers({
    url: postgres.url,
    workers: 1,
    slots,
    connections: 2,
    runSeconds: LONE_RUN_SECONDS,
  });
  lone.begin();
  return lone;
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
const show = (values) => `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms`;

async function storeRuns(projectId, count, prefix) {
  await db.execute(`
    INSERT INTO runs (id, project_id, pipeline_id, data_id, state, created_at, admission_ticket, prompt_head, search_text, account_id)
    SELECT 'run_${prefix}' || lpad(to_hex(i), 30, '0'), '${projectId}', '${PIPELINE}', 'trial', 'received', now() + i * interval '1 us',
      repeat('t', 200), repeat('h', 100), repeat('s', 100), (SELECT owner_id FROM projects WHERE id = '${projectId}')
    FROM generate_series(1, ${count}) i`);
}

async function hasOpenRuns() {
  const { rows } = await db.execute('SELECT 1 FROM runs WHERE ended_at IS NULL LIMIT 1');
  return rows.length > 0;
}

async function waitWhileRunsAreOpen(seconds) {
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until && (await hasOpenRuns())) await sleep(500);
}

async function round(name) {
  const isLoaded = await hasOpenRuns();
  const workers = await startAllWorkers();
  const before = postgresSeconds();
  const sessions = await watchSessions(postgres.url);
  const begun = performance.now();
  let lone = null;
  let fewSeconds = 0;
  if (isLoaded) {
    const loneWorker = await startLoneWorker();
    await sleep(roundSeconds * 500);
    lone = await loneWorker.stop();
    // In the middle, when every slot is taken and the queue is long.
    workers.mark();
    await storeRuns(few, FEW, 'ff');
    fewSeconds = await waitForFew();
    await waitWhileRunsAreOpen(roundSeconds / 2);
  } else await sleep(roundSeconds * 250);
  const seconds = (performance.now() - begun) / 1000;
  const cores = (postgresSeconds() - before) / seconds;
  const waits = await sessions.stop();
  const { rows } = await db.execute(
    `SELECT relname AS name, n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname IN ('runs', 'nodes') ORDER BY 1 DESC`,
  );
  const seen = await workers.stop();
  const dead = rows.map((row) => `${row.name} ${row.dead}`).join(', ');
  const each = (count) => Math.round(count / seconds);
  const claims = isLoaded
    ? `claims of runs while workers fill up ${show(seen.earlyMs)}, later ${show(seen.claimMs)}`
    : 'no claims of runs';
  console.log(
    `${name}, ${seconds.toFixed(0)} s: ${each(seen.claims)} claims/s, ${each(seen.claimed)} runs claimed and ${each(seen.ended)} ended a second\n` +
      `  ${seen.emptyMs.length} empty claims ${show(seen.emptyMs)}; ${claims}; SELECT 1 beside them ${show(seen.selectMs)}\n` +
      `  PostgreSQL ${cores.toFixed(2)} cores, the workers ${(seen.cpuSeconds / seconds).toFixed(2)}; dead rows: ${dead}`,
  );
  for (const line of waits) console.log(`  ${line}`);
  if (lone === null) return;
  console.log(
    `  a worker with two connections of its own: ${lone.claimMs.length} claims of runs ${show(lone.claimMs)}; SELECT 1 ${show(lone.selectMs)}`,
  );
  const { rows: left } = await db.execute(
    'SELECT count(*)::int AS runs FROM runs WHERE ended_at IS NULL AND lease_owner IS NULL',
  );
  console.log(
    `  all ${FEW} runs of a second account began within ${fewSeconds.toFixed(2)} s = ${(fewSeconds / runSeconds).toFixed(2)} run times; ` +
      `${left[0].runs} runs wait at the end`,
  );
}

/** Seconds until every run of the second account has begun. */
async function waitForFew() {
  const begun = performance.now();
  for (;;) {
    const { rows } = await db.execute(
      "SELECT count(*)::int AS waiting FROM runs WHERE id LIKE 'run_ff%' AND started_at IS NULL",
    );
    if (rows[0].waiting === 0) return (performance.now() - begun) / 1000;
    await sleep(100);
  }
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
  console.log(
    `${workerCount} workers with ${slots} slots in ${processCount} processes with ${connections} connections each, ${runCount} runs of ${runSeconds} s`,
  );
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
