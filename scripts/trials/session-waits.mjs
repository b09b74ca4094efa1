// What the sessions of a PostgreSQL do and wait for, sampled while a trial loads it.
import { setTimeout as sleep } from 'node:timers/promises';
import { openPostgres } from '../../apps/server/dist/store/postgres.js';

const SAMPLE_MS = 100;
/** Waits of a statement that take a smaller part of its time are left out. */
const SHOWN_SHARE = 0.02;

/** By the beginning of their text, of which PostgreSQL shows 1,024 bytes. The first that matches names the statement. */
const STATEMENTS = [
  ['claims', /^update "runs" set "attempts"/],
  ['looks at the queue', /^SELECT 1 AS one FROM/],
  ['ends', /^update "runs" set "lease_owner"/],
  ['reports of workers', /"nodes"/],
  ['commits', /^commit/i],
  ['vacuum', /^autovacuum/],
];

const ACTIVE = `SELECT query, wait_event_type || ':' || wait_event AS wait FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction')`;

/**
 * `stop` resolves to a line for each kind of statement: how many sessions executed it at a time, on average, and what they waited for.
 * A session that waits for nothing computes, or waits for a processor; one that waits for `Client:ClientRead` is held by its client, in the middle of a
 * transaction.
 */
export async function watchSessions(url) {
  const store = await openPostgres(url, { maxConnections: 1 });
  const counts = new Map();
  let samples = 0;
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      const { rows } = await store.db.execute(ACTIVE);
      samples++;
      for (const { query, wait } of rows) count(query.trim(), wait ?? 'nothing');
      await sleep(SAMPLE_MS);
    }
  };
  const count = (query, wait) => {
    const name = STATEMENTS.find(([, pattern]) => pattern.test(query))?.[0] ?? 'other statements';
    const waits = counts.get(name) ?? new Map();
    counts.set(name, waits.set(wait, (waits.get(wait) ?? 0) + 1));
  };
  const watching = watch();
  return {
    async stop() {
      isOver = true;
      await watching;
      await store.close();
      return [...counts].map(([name, waits]) => describe(name, waits, samples));
    },
  };
}

function describe(name, waits, samples) {
  const total = [...waits.values()].reduce((sum, times) => sum + times, 0);
  const shown = [...waits]
    .filter(([, times]) => times >= SHOWN_SHARE * total)
    .sort(([, a], [, b]) => b - a)
    .map(([wait, times]) => `${wait} ${Math.round((100 * times) / total)} %`);
  return `${name}: ${(total / samples).toFixed(1)} sessions at a time; they wait for ${shown.join(', ')}`;
}
