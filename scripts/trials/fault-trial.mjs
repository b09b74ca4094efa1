// Two servers and four workers, each on a host of its own (a network namespace), on one PostgreSQL, while clients make runs and
// read their streams. Workers are killed, held up for longer than their leases, and cut off from all or from the database alone;
// PostgreSQL is stopped in the middle of transactions; clocks are ten minutes fast and slow, and are set while the servers run.
// Every accepted run must end, once, be charged once, and every reader must have got the bytes of an undisturbed stream.
//
// Other clients stream direct completions of a server without an engine, which workers compute. Each must get the whole text or an
// error that says what failed, and the whole texts alone must be metered: what a worker breaks off is free.
//
//   sudo node scripts/trials/fault-trial.mjs [rounds, 8] [clients, 10] [clients of completions, 4]
//
// Needs Linux, root, and Debian's packages iptables, postgresql and (for the clocks) faketime.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../prepare.mjs';
import { streamCompletion } from './completion-reader.mjs';
import { addHost, enterNetwork, NETWORK_RANGE, TRIAL_ADDRESS } from './network-hosts.mjs';
import { faultsOfLedger, watchEnds } from './run-oracle.mjs';
import { makeRun } from './run-readers.mjs';
import { startTemporaryPostgres } from './temporary-postgres.mjs';

enterNetwork(import.meta.url);

const [rounds = 8, clientCount = 10, completionCount = 4] = process.argv.slice(2).map(Number);
const { openPostgres } = await import('../../apps/server/dist/store/postgres.js');
const NODE = join(root, 'apps/server/dist/testing/trial-node.js');
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const TOKEN = 'trial-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
/** Of `trial-node`. */
const LEASE_MS = 3_000;
const RUN_LIMIT_MS = 180_000;
/** Of a text of `trial-node`. */
const LETTERS = 100;
const PROMPTS = Array.from({ length: 12 }, (_, i) => `prompt number ${i}`);
const log = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

const folder = mkdtempSync(join(tmpdir(), 'gptj-faults-'));
const postgres = await startTemporaryPostgres({ address: TRIAL_ADDRESS, range: NETWORK_RANGE });
const hasClocks = existsSync(FAKETIME);
if (!hasClocks) log('no libfaketime: the clocks of all hosts agree');
const nodes = ['+600', '-600', '+600', '-600', '+0', '+0'].map((offset, i) => {
  const role = i < 2 ? 'server' : 'worker';
  return createNode({ name: `${role}${i < 2 ? i : i - 2}`, role, number: 11 + i, offset });
});
const [first, second, ...workers] = nodes;
const api = createNode({ name: 'api', role: 'server', number: 17, offset: '+0', settings: { GPTJ_ENGINE: 'none' } });
nodes.push(api);
let failed = true;
try {
  await first.start();
  await Promise.all(nodes.slice(1).map((node) => node.start()));
  const urls = [first.url, second.url];
  const expected = new Map();
  for (const prompt of PROMPTS.slice(0, 2)) await make(prompt);
  for (const prompt of PROMPTS) expected.set(prompt, await make(prompt));
  log(`undisturbed streams of ${PROMPTS.length} prompts`);
  const texts = new Map();
  for (const prompt of PROMPTS) {
    const { text, end, reason } = await complete(prompt);
    if (end !== 'complete') throw new Error(`an undisturbed completion ended with ${end}: ${reason}`);
    texts.set(prompt, text);
  }
  const undisturbed = [...texts.values()].reduce((sum, text) => sum + text.length, 0);
  log(`undisturbed completions of ${undisturbed} letters`);
  const store = await openPostgres(postgres.url);
  await watchEnds(store.db);

  const seen = [];
  const faults = [];
  let stopped = false;
  const clients = Array.from({ length: clientCount }, async (_, i) => {
    for (let n = i; !stopped; n += 7) {
      const prompt = PROMPTS[n % PROMPTS.length];
      try {
        seen.push({ prompt, ...(await make(prompt)) });
      } catch (error) {
        faults.push(String(error));
      }
    }
  });
  const completed = [];
  const completionClients = Array.from({ length: completionCount }, async (_, i) => {
    for (let n = i; !stopped; n += 5) {
      const prompt = PROMPTS[n % PROMPTS.length];
      const one = await complete(prompt);
      completed.push({ prompt, ...one });
      if (one.end !== 'complete') await sleep(200);
    }
  });
  function complete(prompt) {
    return streamCompletion({ url: api.url, headers: HEADERS, prompt, maxTokens: LETTERS });
  }
  function make(prompt) {
    return makeRun({ urls, headers: HEADERS, prompt, limitMs: RUN_LIMIT_MS });
  }

  for (let round = 1; round <= rounds; round++) {
    for (const [name, act] of Object.entries(faultsOfRound(round))) {
      log(`round ${round} of ${rounds}: ${name}; ${seen.length} runs read`);
      await act();
      await sleep(500 + Math.random() * 1_500);
    }
    for (const node of nodes) if (!node.isRunning()) throw new Error(`${node.name} ended by itself:\n${node.tail()}`);
  }
  stopped = true;
  await Promise.all([...clients, ...completionClients]);
  log('clients have stopped');
  for (const one of seen) {
    const wanted = expected.get(one.prompt).tokens;
    if (one.state !== 'complete') faults.push(`run ${one.id} ended as ${one.state}`);
    if (one.tokens.join('\n') !== wanted.join('\n')) {
      faults.push(
        `run ${one.id}: ${one.tokens.length} token events, expected the ${wanted.length} of an undisturbed stream`,
      );
    }
    // A reader whose own server stayed must not notice that the run was executed again.
    if (one.reconnects === 0 && one.restarts > 0)
      faults.push(`run ${one.id} began again for a reader that never lost its server`);
  }
  faults.push(...faultsOfCompletions(completed, texts));
  await store.close();
  const after = await openPostgres(postgres.url);
  faults.push(...(await faultsOfLedger(after.db, new Set(seen.map(({ id }) => id)), log)));
  const letters = completed.reduce((sum, { end, text }) => sum + (end === 'complete' ? text.length : 0), undisturbed);
  const [{ metered }] = (
    await after.db.execute(
      "SELECT coalesce(sum(generated_tokens), 0)::int AS metered FROM usage_daily WHERE pipeline NOT LIKE 'pipeline\\_%'",
    )
  ).rows;
  if (metered !== letters) faults.push(`completions of ${letters} tokens, ${metered} metered`);
  await after.close();
  const sum = (count) => seen.reduce((total, one) => total + count(one), 0);
  log(
    `${seen.length} runs read to their end, ${sum((one) => (one.reconnects > 0 ? 1 : 0))} with another connection, ` +
      `${sum((one) => one.restarts)} streams that began again for them`,
  );
  const ended = (end) => completed.filter((one) => one.end === end);
  log(
    `${ended('complete').length} completions whole, ${ended('error').length} ended with an error, ` +
      `${ended('error').filter(({ text }) => text !== '').length} of them after the first tokens; ${letters} tokens, ${metered} metered`,
  );
  for (const [reason, count] of countBy(ended('error').map((one) => one.reason))) log(`  ${count} x ${reason}`);
  for (const fault of faults.slice(0, 40)) console.error(fault);
  log(faults.length === 0 ? 'no fault' : `${faults.length} faults`);
  failed = faults.length > 0;
} finally {
  for (const node of nodes) node.kill();
  postgres.close();
  if (!failed) rmSync(folder, { recursive: true, force: true });
  else log(`logs of the nodes: ${folder}`);
}
process.exit(failed ? 1 : 0);

/** What happens in a round, one after the other. Workers take turns. */
function faultsOfRound(round) {
  const worker = (i) => workers[(round + i) % workers.length];
  return {
    'a worker is killed': async () => {
      worker(0).kill();
      await sleep(300);
      await worker(0).start();
    },
    'a worker is held up beyond its leases': async () => {
      worker(1).signal('SIGSTOP');
      await sleep(LEASE_MS * 2);
      worker(1).signal('SIGCONT');
    },
    'a worker is cut off': async () => {
      worker(2).host.cutOff();
      await sleep(LEASE_MS * 2);
      worker(2).host.rejoin();
    },
    'a worker is cut off from the database alone': async () => {
      worker(3).host.cutOff(TRIAL_ADDRESS);
      await sleep(LEASE_MS * 2);
      worker(3).host.rejoin(TRIAL_ADDRESS);
    },
    'a server is killed': async () => {
      const server = nodes[round % 2];
      server.kill();
      await sleep(300);
      await server.start();
    },
    'the database is restarted in the middle of transactions': async () => {
      postgres.stop('immediate');
      if (round % 2 === 0) await sleep(LEASE_MS * 1.5);
      postgres.start();
    },
    'the clocks of two workers are set': async () => {
      worker(0).setClock(round % 2 === 0 ? '-600' : '+600');
      worker(2).setClock(round % 2 === 0 ? '+600' : '-600');
    },
    'two workers at once: one is killed, one is held up': async () => {
      worker(1).signal('SIGSTOP');
      worker(2).kill();
      await sleep(LEASE_MS * 1.5);
      worker(1).signal('SIGCONT');
      await worker(2).start();
    },
  };
}

function faultsOfCompletions(completed, texts) {
  return completed.flatMap(({ prompt, text, end, reason }) => {
    const whole = texts.get(prompt);
    if (end === 'cut') return [`a completion of ${text.length} letters broke off without an error: ${reason}`];
    if (end === 'complete' && text !== whole)
      return [`a completion of ${text.length} letters, expected ${whole.length}`];
    return whole.startsWith(text) ? [] : ['a completion that failed had other letters'];
  });
}

function countBy(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, 12);
}

function createNode({ name, role, number, offset, settings = {} }) {
  const host = addHost(name, number);
  const clockFile = join(folder, `${name}-clock`);
  const lines = [];
  let child = null;
  let hasStarted = false;
  const launch = () => {
    const clock = hasClocks
      ? {
          LD_PRELOAD: FAKETIME,
          FAKETIME_TIMESTAMP_FILE: clockFile,
          FAKETIME_CACHE_DURATION: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        }
      : {};
    const [command, ...words] = [...host.prefix, process.execPath, NODE];
    child = spawn(command, words, {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        TRIAL_ROLE: role,
        DATABASE_URL: postgres.url,
        DATA_DIR: join(folder, name),
        GPTJ_API_TOKEN: TOKEN,
        HOST: host.address,
        PORT: '8080',
        MAX_RUNNING_RUNS: role === 'server' ? '1' : '3',
        MAX_WAITING_RUNS: '1000',
        LOG_LEVEL: 'info',
        LOG_FORMAT: 'json',
        REGISTRATION: 'closed',
        ...settings,
        ...clock,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    hasStarted = false;
    const keep = (chunk) => {
      // The last lines of a start.
      hasStarted ||= /listens on|They reach it/.test(String(chunk));
      lines.push(...String(chunk).split('\n').filter(Boolean));
      writeFileSync(join(folder, `${name}.log`), String(chunk), { flag: 'a' });
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
  };
  const node = {
    name,
    host,
    url: `http://${host.address}:8080`,
    isRunning: () => child !== null && child.exitCode === null && child.signalCode === null,
    tail: () => lines.slice(-20).join('\n'),
    setClock: (to) => writeFileSync(clockFile, `${to}s\n`),
    /** As a supervisor does: a start beside a database that is away ends, and another one follows. */
    async start() {
      launch();
      for (let tries = 0; tries < 600; tries++) {
        if (!node.isRunning()) launch();
        const answer = await fetch(`${node.url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
        if (answer?.ok && hasStarted) return;
        await sleep(100);
      }
      throw new Error(`${name} does not start:\n${node.tail()}`);
    },
    signal: (signal) => child.kill(signal),
    kill() {
      child?.kill('SIGCONT');
      child?.kill('SIGKILL');
    },
  };
  node.setClock(offset);
  return node;
}
