// Runs with five long prompts in turn, on two workers and a server without an engine over a temporary PostgreSQL: the part of prompt
// tokens that came from prefix caches and the waits of the runs, with the affinity of prefixes on and off.
//
//   node scripts/trials/prefix-affinity.mjs [runs, 60] [milliseconds between runs, 300]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../prepare.mjs';
import { startTemporaryPostgres } from './temporary-postgres.mjs';

const [runCount = 60, betweenMs = 300] = process.argv.slice(2).map(Number);
const TOKEN = 'trial-token-0123456789';
const WORKERS = 2;
const PREFIXES = Array.from({ length: 5 }, (_, at) => `Part ${at} of the manual. `.repeat(30 + at));

async function start(command, env) {
  const dataDir = await mkdtemp(join(tmpdir(), 'gptj-affinity-'));
  const child = spawn(process.execPath, [join(root, 'apps/cli/bin/gptj.mjs'), ...command], {
    env: { ...process.env, GPTJ_API_TOKEN: TOKEN, LOG_LEVEL: 'warn', DATA_DIR: dataDir, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const found = /(?:listens on|reach it at) (http:\/\/\S+?:\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`${command.join(' ')} ended with ${code}: ${text}`)));
  });
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function makeRun(url, at) {
  const body = {
    pipeline_id: 'gpt-j:latest',
    data: [`${PREFIXES[(at * 7) % PREFIXES.length]} Question ${at}:`, { response_length: 8 }],
  };
  const reply = await fetch(`${url}/v2/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${reply.status} ${text}`);
  const run = JSON.parse(text);
  if (run.run_state !== 'complete') throw new Error(text);
  return run;
}

async function measure(setting) {
  const postgres = await startTemporaryPostgres();
  const env = { DATABASE_URL: postgres.url, PREFIX_AFFINITY: setting, MAX_RUNNING_RUNS: '2' };
  const processes = [];
  try {
    for (let at = 0; at < WORKERS; at++) processes.push(await start(['worker'], env));
    const api = await start(['serve', '--no-engine'], env);
    processes.push(api);
    const runs = [];
    for (let at = 0; at < runCount; at++) {
      runs.push(makeRun(api.url, at));
      await sleep(betweenMs);
    }
    const ended = await Promise.all(runs);
    const sum = (read) => ended.reduce((total, { usage }) => total + read(usage), 0);
    const waits = ended.map(({ timings }) => timings.queued_ms).sort((a, b) => a - b);
    const cached = sum(({ cached_tokens: tokens }) => tokens) / sum(({ prompt_tokens: tokens }) => tokens);
    const percentile = (part) => waits[Math.min(waits.length - 1, Math.floor(part * waits.length))];
    console.log(
      `affinity ${setting}: ${(100 * cached).toFixed(1)} % of prompt tokens cached; waits p50 ${percentile(0.5)} ms, p95 ${percentile(0.95)} ms`,
    );
  } finally {
    for (const each of processes.reverse()) await each.stop();
    postgres.close();
  }
}

for (const setting of ['on', 'off']) await measure(setting);
