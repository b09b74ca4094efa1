// `node scripts/trials/many-rows.mjs [--runs N] [--usage-days N] [--database postgres://… | --data-dir FOLDER] [--repeat N]`
//
// Fills a store with many runs and rows of usage, starts a server on it, and prints how long pages, metrics and usage take,
// and the CSV of a year with the latency of /healthz beside it. Without --database on the embedded store. A database or
// folder that has runs already is not filled again. Each row of the table has median and maximum of `--repeat` requests.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, root } from '../prepare.mjs';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '200000' },
    'usage-days': { type: 'string', default: '365' },
    database: { type: 'string' },
    'data-dir': { type: 'string' },
    repeat: { type: 'string', default: '5' },
  },
});
await prepare();
const { startTrialServer } = await import('./trial-server.mjs');
const { openStore } = await import(join(root, 'apps/server/dist/store/db.js'));
const { openPostgres } = await import(join(root, 'apps/server/dist/store/postgres.js'));

const PROJECT = `project_${'0'.repeat(32)}`;
const USER = `user_${'0'.repeat(32)}`;
const [runs, days] = [Number(options.runs), Number(options['usage-days'])];
const dataDir = options['data-dir'] ?? (await mkdtemp(join(tmpdir(), 'gptj-many-rows-')));
await mkdir(dataDir, { recursive: true });
const env = options.database === undefined ? { DATA_DIR: dataDir } : { DATABASE_URL: options.database };

const id = (kind, text) => `'${kind}_' || md5(${text})`;
const TABLES = [
  'files',
  'data',
  'runs',
  'run_sums',
  'usage_daily',
  'usage_account_days',
  'usage_sums',
  'usage_hourly',
  'run_counts',
  'audit_log',
];
/** Runs over 60 days: nine in ten complete, the others failed; 5 pipelines. Then a year of 137 tokens × 20 pipelines. */
const FILL = [
  `INSERT INTO files (id, name, path, bytes, size_bytes, is_stored, created_at, project_id)
    SELECT ${id('file', `'in' || i`)}, 'data', 'many/' || i, '\\x00', 1, true, now() - interval '60 days' * i / ${runs}, '${PROJECT}'
    FROM generate_series(1, ${runs}) i`,
  `INSERT INTO files (id, name, path, bytes, size_bytes, is_stored, created_at, project_id)
    SELECT ${id('file', `'out' || i`)}, 'result', 'many-out/' || i, '\\x00', 1, true, now() - interval '60 days' * i / ${runs}, '${PROJECT}'
    FROM generate_series(1, ${runs}) i WHERE i % 10 <> 0`,
  `INSERT INTO data (id, file_id, created_at, project_id)
    SELECT ${id('data', 'i::text')}, ${id('file', `'in' || i`)}, now() - interval '60 days' * i / ${runs}, '${PROJECT}'
    FROM generate_series(1, ${runs}) i`,
  `INSERT INTO runs (id, pipeline_id, data_id, state, created_at, started_at, ended_at, compute_time_ms, resource_type,
      result_file_id, result_preview, error, error_exception, error_traceback, project_id, attempts, prompt_tokens,
      generated_tokens, cached_tokens, computed_tokens, prompt_head, output_head, search_text, queued_ms, first_token_ms)
    SELECT ${id('run', 'i::text')}, CASE WHEN i % 5 = 0 THEN 'pipeline_d7502b78863744c495d7d22f321cf7ff' ELSE ${id('pipeline', '(i % 5)::text')} END,
      ${id('data', 'i::text')}, CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'complete' END, at, at, at, 40 + i % 100, 'cpu',
      CASE WHEN i % 10 <> 0 THEN ${id('file', `'out' || i`)} END, CASE WHEN i % 10 <> 0 THEN '["text"]' END,
      CASE WHEN i % 10 = 0 THEN 'pipeline_fault' END, CASE WHEN i % 10 = 0 THEN 'x' END, CASE WHEN i % 10 = 0 THEN 'x' END,
      '${PROJECT}', 1, 10, 10, 0, 20, 'Number ' || i || ' ' || repeat('of Many ', 18), repeat('Once upon ', 16),
      'number ' || i || ' ' || repeat('of many ', 18) || E'\\n' || repeat('once upon ', 16), i % 50, i % 300
    FROM (SELECT i, now() - interval '60 days' * i / ${runs} AS at FROM generate_series(1, ${runs}) i) r`,
  `INSERT INTO usage_daily (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id, runs, prompt_tokens,
      generated_tokens, computed_tokens, cached_tokens, compute_ms)
    SELECT '${USER}', (now() AT TIME ZONE 'UTC')::date - d, '${PROJECT}', '${USER}', ${id('token', 't::text')},
      ${id('pipeline', 'p::text')}, 'owner', 3, 30, 30, 60, 0, 120
    FROM generate_series(0, ${days - 1}) d, generate_series(1, 137) t, generate_series(1, 20) p`,
  `INSERT INTO usage_account_days
    SELECT account_id, day, plan_id, sum(runs), sum(prompt_tokens), sum(generated_tokens), sum(computed_tokens),
      sum(cached_tokens), sum(compute_ms)
    FROM usage_daily GROUP BY 1, 2, 3`,
  `INSERT INTO usage_sums (grouping_id, project_id, day, key, runs, prompt_tokens, generated_tokens, computed_tokens,
      cached_tokens, compute_ms)
    SELECT g.grouping_id, u.project_id, u.day, g.key, sum(u.runs), sum(u.prompt_tokens), sum(u.generated_tokens),
      sum(u.computed_tokens), sum(u.cached_tokens), sum(u.compute_ms)
    FROM usage_daily u CROSS JOIN LATERAL (VALUES (0, ''), (1, u.api_key_id), (2, u.pipeline)) AS g (grouping_id, key)
    GROUP BY 1, 2, 3, 4`,
  // 50 tokens in each hour of 61 days; 30 bins of each time, and 5 codes, in each hour of 34 days and each day of a year.
  `INSERT INTO usage_hourly (project_id, hour, api_key_id, pipeline, runs, prompt_tokens, generated_tokens, computed_tokens,
      cached_tokens, compute_ms)
    SELECT '${PROJECT}', date_trunc('hour', now()) - h * interval '1 hour', ${id('token', 't::text')}, 'p', 3, 30, 30, 60, 0, 120
    FROM generate_series(0, ${61 * 24}) h, generate_series(1, 50) t`,
  `INSERT INTO run_counts (project_id, at, hours, kind, key, count)
    SELECT '${PROJECT}', date_trunc(CASE hours WHEN 1 THEN 'hour' ELSE 'day' END, now(), 'UTC') - n * hours * interval '1 hour',
      hours, kind, k::text, 7
    FROM (VALUES (1, 0, 34 * 24), (24, 36, 365)) s (hours, first, last), generate_series(first, last) n,
      unnest(ARRAY['error', 'queued', 'first_token', 'total']) kind, generate_series(1, CASE kind WHEN 'error' THEN 5 ELSE 30 END) k`,
  `INSERT INTO audit_log (at, user_id, action, request_id, details)
    SELECT now() - interval '60 days' * i / ${runs}, '${USER}', CASE WHEN i % 4 = 0 THEN 'token.create' ELSE 'user.sign_in' END, 'r', '{}'
    FROM generate_series(1, ${runs}) i`,
];

// A statement that fills a table takes minutes on a busy machine.
const patient = { statementTimeoutMs: 3_600_000 };
const store =
  options.database === undefined
    ? await openStore(join(dataDir, 'postgres'), patient)
    : await openPostgres(options.database, patient);
const { rows: present } = await store.db.execute('SELECT 1 FROM runs LIMIT 1');
for (const statement of present.length > 0 ? [] : FILL) {
  const started = performance.now();
  await store.db.transaction(async (tx) => {
    await tx.execute('SET LOCAL statement_timeout = 0');
    await tx.execute(statement);
  });
  process.stderr.write(`${statement.slice(12, 24)} ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
// PostgreSQL and the server on its embedded store do this by themselves, some minutes later.
for (const table of TABLES) await store.db.execute(`VACUUM (ANALYZE) ${table}`);
await store.close();

const server = await startTrialServer({ env });
try {
  await measure();
} finally {
  await server.stop();
  if (options['data-dir'] === undefined) await rm(dataDir, { recursive: true, force: true });
}

async function measure() {
  const rows = [];
  const day = (back) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  const time = async (name, path) => {
    const ms = [];
    for (let i = 0; i < Number(options.repeat); i++) {
      const reply = await get(path);
      if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text.slice(0, 300)}`);
      ms.push(reply.ms);
    }
    ms.sort((a, b) => a - b);
    const row = [name, ms[ms.length >> 1], ms.at(-1)];
    rows.push(row);
    print(row);
  };
  const timePages = async (name, path) => {
    const ms = [];
    for (let cursor = ''; cursor !== null; ) {
      const reply = await get(`${path}${cursor && `&cursor=${cursor}`}`);
      ms.push(reply.ms);
      cursor = JSON.parse(reply.text).next_cursor;
    }
    const sum = ms.reduce((total, each) => total + each, 0);
    ms.sort((a, b) => a - b);
    const row = [`${name} (${ms.length} in ${sum.toFixed(0)} ms)`, ms[ms.length >> 1], ms.at(-1)];
    rows.push(row);
    print(row);
  };
  console.log('| request | median ms | most ms |\n| --- | --- | --- |');
  const [{ id: runId }] = JSON.parse((await get('/v2/runs?limit=1')).text).data;
  await time('for comparison: a run by id', `/v2/runs/${runId}`);
  for (const [name, filter] of [
    ['runs', ''],
    ['runs, failed', '&run_state=failed'],
    ['runs by time', '&view=summary&order_by=compute_time_ms:desc'],
    ['runs by tokens', '&view=summary&order_by=computed_tokens:asc'],
    ['runs by time, failed', '&view=summary&order_by=compute_time_ms:desc&run_state=failed'],
    [
      'runs by time, of a token without any',
      `&view=summary&order_by=compute_time_ms:desc&token_id=token_${'0'.repeat(32)}`,
    ],
    ['runs by time, last day', `&view=summary&order_by=compute_time_ms:desc&created_after=${day(1)}`],
    ['runs, one pipeline', '&pipeline_id=pipeline_d7502b78863744c495d7d22f321cf7ff'],
    ['runs, one pipeline, failed', '&pipeline_id=pipeline_d7502b78863744c495d7d22f321cf7ff&run_state=failed'],
  ]) {
    const { total } = JSON.parse((await get(`/v2/runs?limit=1${filter}`)).text);
    for (const skip of [0, total >> 1, Math.max(0, total - 100)]) {
      await time(`${name}, limit 20, skip ${skip}`, `/v2/runs?limit=20&skip=${skip}${filter}`);
      await time(`${name}, limit 100, skip ${skip}`, `/v2/runs?limit=100&skip=${skip}${filter}`);
      const { next_cursor: cursor } = JSON.parse((await get(`/v2/runs?limit=1&skip=${skip}${filter}`)).text);
      if (cursor) await time(`${name}, limit 100, cursor at ${skip}`, `/v2/runs?limit=100&cursor=${cursor}${filter}`);
    }
  }
  for (const [name, filter, isWhole = false] of [
    ['summaries', ''],
    ['summaries with a frequent text', '&q=once'],
    ['summaries with a text of the oldest run', `&q=number%20${runs}`],
    ['summaries with a text of no run', '&q=twice'],
    ['summaries with a text of no run, all pages', '&q=twice', true],
    ['summaries by a part of an id', `&q=${runId.slice(-8)}`],
    ['summaries of two states', '&state=failed,running'],
    ['summaries of no token', '&token_id=session'],
    ['summaries of an unknown token', `&token_id=token_${'0'.repeat(32)}`],
  ]) {
    const path = `/v2/runs?view=summary&limit=50${filter}`;
    if (isWhole) await timePages(name, path);
    else await time(`${name}, limit 50`, path);
  }
  const span = `start=${Math.floor(Date.now() / 1000) - 60 * 86_400}&end=${Math.floor(Date.now() / 1000)}`;
  for (const path of ['runs', 'runs?bucket_count=1000', 'pipelines', 'compute', 'hardware']) {
    await time(`metrics/${path}, 60 days`, `/v2/metrics/${path}${path.includes('?') ? '&' : '?'}${span}`);
  }
  for (const skip of [0, runs - 100]) await time(`audit log, skip ${skip}`, `/v2/audit-log?limit=100&skip=${skip}`);
  await time('audit log of one action', `/v2/audit-log?limit=100&skip=${runs >> 3}&action=token.create`);
  await time('audit log of an action without entries', '/v2/audit-log?limit=100&action=none');
  for (const group of ['day', 'token', 'pipeline', 'project']) {
    await time(`usage of a year by ${group}, all projects`, `/v2/usage?from=${day(364)}&group_by=${group}`);
    await time(`usage of a year by ${group}`, `/v2/usage?from=${day(364)}&group_by=${group}&project_id=${PROJECT}`);
  }
  for (const group of ['', '&group_by=token', '&group_by=pipeline']) {
    const by = group === '' ? '' : ` and ${group.slice(10)}`;
    await time(`usage of a year by day${by}`, `/v2/usage?from=${day(364)}&bucket=day&project_id=${PROJECT}${group}`);
    await time(`usage of 31 days by hour${by}`, `/v2/usage?from=${day(30)}&bucket=hour&project_id=${PROJECT}${group}`);
    await time(
      `usage of 31 days by hour${by}, limit 1000`,
      `/v2/usage?from=${day(30)}&bucket=hour&limit=1000&project_id=${PROJECT}${group}`,
    );
  }
  for (const path of ['latency', 'errors']) {
    await time(`metrics/${path} of a year by day`, `/v2/metrics/${path}?bucket=day&start=${day(364)}`);
    await time(`metrics/${path} of 31 days by hour`, `/v2/metrics/${path}?bucket=hour&start=${day(29)}`);
    await time(`metrics/${path} of a day`, `/v2/metrics/${path}`);
  }
  await time('usage of this month', '/v2/usage');
  for (const path of ['users', 'projects', `projects/${PROJECT}`, 'limits', 'storage']) await time(path, `/v2/${path}`);
  await time('invoice preview', '/v2/invoice-preview');
  const slow = rows.filter(([, , most]) => most >= 100);
  console.log(`\n${rows.length - slow.length} of ${rows.length} always under 100 ms`);

  for (const query of [`from=${day(364)}`, `from=${day(364)}&project_id=${PROJECT}`]) {
    const pings = [];
    let isOver = false;
    const pinging = (async () => {
      while (!isOver) {
        pings.push((await get('/healthz')).ms);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const csv = await get(`/v2/usage.csv?${query}`, { keep: false });
    isOver = true;
    await pinging;
    pings.sort((a, b) => a - b);
    const at = (part) => pings[Math.min(pings.length - 1, Math.floor(pings.length * part))].toFixed(0);
    console.log(
      `usage.csv?${query}: ${csv.lines} lines in ${(csv.ms / 1000).toFixed(1)} s; /healthz p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} ms`,
    );
  }
}

function print([name, median, most]) {
  console.log(`| ${name} | ${median.toFixed(0)} | ${most.toFixed(0)} |`);
}

function get(path, { keep = true } = {}) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      `${server.url}${path}`,
      { agent: false, headers: { authorization: `Bearer ${server.ownerToken}` } },
      (reply) => {
        let text = '';
        let lines = 0;
        reply.on('data', (chunk) => {
          if (keep) text += chunk;
          for (const byte of chunk) if (byte === 10) lines += 1;
        });
        reply.on('error', reject);
        reply.on('end', () => resolve({ status: reply.statusCode, text, lines, ms: performance.now() - started }));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
