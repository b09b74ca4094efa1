// A server in a child process, and clients that make runs on it, for the trials of this folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const TOKEN = 'trial-token-0123456789';
const CLI = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };

const SHARED_VARIABLES = ['PATH', 'HOME', 'TMPDIR', 'NODE_OPTIONS'];

/** Start `gptj serve`; resolves when it listens. `prefix` are words before `node`, such as `unshare --pid --fork`. */
export async function startServer(environment, { prefix = [], onLine = () => {} } = {}) {
  const shared = Object.fromEntries(
    SHARED_VARIABLES.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const [command, ...words] = [...prefix, process.execPath, CLI, 'serve'];
  const child = spawn(command, words, {
    env: { ...shared, GPTJ_API_TOKEN: TOKEN, PORT: '0', MAX_WAITING_RUNS: '10000', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = [];
  const collect = (chunk) => {
    for (const line of String(chunk).split('\n').filter(Boolean)) {
      lines.push(line);
      if (lines.length > 2000) lines.shift();
      onLine(line);
    }
  };
  child.stderr.on('data', collect);
  const state = { ended: null };
  child.once('exit', (status, signal) => {
    state.ended = signal ?? `status ${status}`;
  });
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
      collect(chunk);
      const found = /listens on (http:\/\/\S+?:\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`the server ended before it listened: ${lines.slice(-5).join('\n')}`)));
  });
  return {
    url,
    pid: child.pid,
    lines,
    /** Null while it runs; else its signal or status. */
    get ended() {
      return state.ended;
    },
    /** Send a signal and wait for the end; returns the milliseconds it took. Throws after `limitMs`. */
    async stop(signal = 'SIGTERM', limitMs = 60_000) {
      if (state.ended !== null) return 0;
      const began = performance.now();
      const exited = once(child, 'exit');
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      await exited;
      clearTimeout(timer);
      const took = performance.now() - began;
      if (took >= limitMs) throw new Error(`the server did not end within ${limitMs} ms of ${signal}`);
      return took;
    },
  };
}

/**
 * Clients that make small runs, one after the other, each at a random server. Counts statuses, and collects the ids of the
 * runs that were answered with 200 and a state of `complete`.
 */
export function startClients(count, serverUrls, { responseLength = 4, requestTimeoutMs = 30_000 } = {}) {
  const acknowledged = new Map();
  const statuses = new Map();
  const latencies = [];
  let stopped = false;
  let slowestMs = 0;
  const ask = async () => {
    const urls = serverUrls();
    const url = urls[Math.floor(Math.random() * urls.length)];
    const began = performance.now();
    let status = 'no reply';
    try {
      const reply = await fetch(`${url}/v2/runs`, {
        method: 'POST',
        headers: HEADERS,
        body: JSON.stringify({ pipeline_id: 'gpt-j:latest', data: ['number', { response_length: responseLength }] }),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      const body = await reply.json();
      status = String(reply.status);
      if (reply.status === 200 && body.run_state === 'complete') acknowledged.set(body.id, Date.now());
      else if (reply.status === 200) status = `200 ${body.run_state}`;
      else status += ` ${body.detail?.code ?? ''}`;
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') status = 'no reply in time';
    }
    const took = performance.now() - began;
    latencies.push(took);
    slowestMs = Math.max(slowestMs, took);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (!status.startsWith('200')) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const loops = Array.from({ length: count }, async () => {
    while (!stopped) await ask();
  });
  return {
    acknowledged,
    statuses,
    latencies,
    get slowestMs() {
      return slowestMs;
    },
    async stop() {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

async function getJson(url, path) {
  const reply = await fetch(url + path, { headers: HEADERS, signal: AbortSignal.timeout(60_000) });
  if (!reply.ok) throw new Error(`GET ${path}: ${reply.status} ${await reply.text()}`);
  return await reply.json();
}

/** The stored runs by id. */
async function storedRuns(url) {
  const runs = new Map();
  for (;;) {
    const page = await getJson(url, `/v2/runs?limit=100&skip=${runs.size}&order_by=created_at:asc`);
    for (const run of page.data) runs.set(run.id, run);
    if (page.data.length === 0) return runs;
  }
}

/** Whether every run has ended: those of a killed server are executed again. */
async function isQuiet(url) {
  return [...(await storedRuns(url)).values()].every((run) => run.ended_at);
}

/** What is wrong with the store of a server: acknowledged runs that are missing or changed, and usage that is not that of the runs. */
export async function faultsOf(url, acknowledged) {
  if (!(await until(() => isQuiet(url), { everyMs: 500, limitMs: 120_000 })))
    return { faults: ['runs do not end'], runs: new Map() };
  const runs = await storedRuns(url);
  const faults = [];
  for (const id of acknowledged) {
    const run = runs.get(id);
    if (run === undefined) faults.push(`acknowledged run ${id} is missing`);
    else if (run.run_state !== 'complete') faults.push(`acknowledged run ${id} is ${run.run_state}`);
  }
  const usage = await getJson(url, '/v2/usage');
  const complete = [...runs.values()].filter((run) => run.run_state === 'complete');
  const tokens = complete.reduce((sum, run) => sum + (run.usage?.generated_tokens ?? 0), 0);
  if (usage.total.runs !== complete.length)
    faults.push(`usage has ${usage.total.runs} runs, ${complete.length} are complete`);
  if (usage.total.generated_tokens !== tokens)
    faults.push(`usage has ${usage.total.generated_tokens} tokens, the runs ${tokens}`);
  return { faults, runs };
}

export function progress(line) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
  else console.log(line);
}

export function until(check, { everyMs = 100, limitMs = 60_000 } = {}) {
  const endsAt = performance.now() + limitMs;
  return (async () => {
    for (;;) {
      if (await check()) return true;
      if (performance.now() > endsAt) return false;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
}

export function show(statuses) {
  return [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
}
