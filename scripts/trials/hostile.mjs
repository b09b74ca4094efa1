// `node scripts/trials/hostile.mjs [each | mix] [--seconds N] [--clients N] [--only TEXT] [--for SECONDS]`
//
// each: sends every hostile request alone, for a few seconds, while an owner of the server generates 16 tokens again and
// again and a probe asks for /healthz every 10 ms. Prints what owner and probe saw, beside what they see without it.
// mix: many clients send all of them at random for N seconds. Prints the latencies of owner and probes and the replies.
// Fails when the server ends, when a reply is a 500, and in `mix` when a request of the owner takes over 5 s.
import { Agent, request as httpRequest } from 'node:http';
import { parseArgs } from 'node:util';
import { prepare } from '../prepare.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '600' },
    clients: { type: 'string', default: '100' },
    for: { type: 'string', default: '6' },
    only: { type: 'string', default: '' },
  },
});
const kind = positionals[0] ?? 'each';
await prepare();
const { HOSTILE_REQUESTS, upload } = await import('./hostile-requests.mjs');
const { registerAccount, startTrialServer } = await import('./trial-server.mjs');

const MAX_OWNER_MS = 5000;
const ACCOUNTS = 8;
const requests = HOSTILE_REQUESTS.filter(({ name }) => name.includes(options.only));
const server = await startTrialServer();
const problems = [];
let isOver = false;
/** One request on a connection of its own, or on an agent's; `{ status, ms }`, status 0 when the connection broke. */
function send({ method, path, headers, body }, { token, agent = false, timeoutMs = 60_000 } = {}) {
  const started = performance.now();
  return new Promise((resolve) => {
    const end = (status, text = '') => {
      clearTimeout(timer);
      resolve({ status, ms: performance.now() - started, text });
    };
    const { hostname, port } = new URL(server.url);
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = httpRequest(
      { hostname, port, method, path, agent, headers: { ...authorization, ...headers } },
      (reply) => {
        const chunks = [];
        reply.on('data', (chunk) => chunks.length < 8 && chunks.push(chunk));
        reply.on('end', () => end(reply.statusCode, Buffer.concat(chunks).toString()));
        reply.on('error', () => end(0));
      },
    );
    // Not a timeout of the socket: a reply that is computed begins with blanks every few seconds.
    const timer = setTimeout(() => sent.destroy(), timeoutMs);
    sent.on('error', () => end(0));
    sent.end(body);
  });
}

function ownerRequest() {
  return {
    method: 'POST',
    path: '/v1/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: `Once upon a time ${Math.random()}`, max_tokens: 16, suppress_tokens: [50256] }),
  };
}

async function warmUp() {
  for (let at = 0; at < 20; at++) {
    const { status, text } = await send(ownerRequest(), { token: server.ownerToken });
    if (status !== 200) throw new Error(`the owner's request: ${status} ${text}`);
  }
}

/** Repeat a request until `isDone`; the latencies of its replies, and those still open at the end. */
async function probe(make, token, pauseMs, isDone) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latencies = [];
  const failed = [];
  const slow = [];
  const startedAt = performance.now();
  while (!isDone()) {
    const { status, ms, text } = await send(make(), { token, agent });
    latencies.push(ms);
    if (ms > MAX_OWNER_MS) slow.push(`${whole((performance.now() - startedAt - ms) / 1000)} s: ${whole(ms)} ms`);
    if (status !== 200) failed.push(`${status} ${text.slice(0, 200)}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  agent.destroy();
  return { latencies: latencies.sort((a, b) => a - b), failed, slow };
}

const quantile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
const whole = (number) => (Number.isNaN(number) ? '–' : number.toFixed(0));
const printRow = (...cells) => console.log(`| ${cells.join(' | ')} |`);

async function sendEach(accounts) {
  printRow('request', 'replies', 'ms a reply', 'healthz p50', 'p99', 'max', 'owner p50', 'max');
  printRow('---', '---', '---', '---', '---', '---', '---', '---');
  for (const [index, request] of [null, ...requests].entries()) {
    let isDone = false;
    // The request is built before the probes start: they share this thread.
    const { token } = accounts[index % accounts.length];
    const made = request === null ? null : request.make(await store(request, token));
    const health = probe(
      () => ({ method: 'GET', path: '/healthz', headers: {} }),
      undefined,
      10,
      () => isDone,
    );
    const owner = probe(ownerRequest, server.ownerToken, 20, () => isDone);
    const replies = [];
    const deadline = performance.now() + Number(options.for) * 1000;
    if (request === null) {
      while (performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    } else {
      // Two connections: a client that waits for its reply, and a second one beside it.
      await Promise.all(
        [0, 1].map(async () => {
          do {
            const timeoutMs = Math.max(2000, 4 * (deadline - performance.now()));
            replies.push(await send(made, { ...(request.account ? { token } : {}), timeoutMs }));
            await new Promise((resolve) => setTimeout(resolve, 20));
          } while (performance.now() < deadline);
        }),
      );
    }
    isDone = true;
    const [pings, own] = await Promise.all([health, owner]);
    check(request?.name ?? 'alone', replies, own);
    printRow(
      request?.name ?? 'nothing',
      countStatuses(replies),
      whole(
        quantile(
          replies.map(({ ms }) => ms).sort((a, b) => a - b),
          0.5,
        ),
      ),
      whole(quantile(pings.latencies, 0.5)),
      whole(quantile(pings.latencies, 0.99)),
      whole(pings.latencies.at(-1)),
      whole(quantile(own.latencies, 0.5)),
      whole(own.latencies.at(-1)),
    );
    if (!server.isRunning()) return;
  }
}

async function sendMixed(accounts, seconds, clients) {
  const deadline = performance.now() + seconds * 1000;
  const isDone = () => isOver || performance.now() >= deadline || !server.isRunning();
  const ready = [];
  for (const request of requests) {
    for (const { token } of accounts.slice(0, 3))
      ready.push({ request, token, made: request.make(await store(request, token)) });
  }
  const replies = new Map(requests.map(({ name }) => [name, []]));
  const health = probe(() => ({ method: 'GET', path: '/healthz', headers: {} }), undefined, 50, isDone);
  const readiness = probe(() => ({ method: 'GET', path: '/readyz', headers: {} }), undefined, 200, isDone);
  const owner = probe(ownerRequest, server.ownerToken, 100, isDone);
  const progress = setInterval(() => {
    const sent = [...replies.values()].reduce((sum, list) => sum + list.length, 0);
    process.stderr.write(
      `\r${Math.max(0, (deadline - performance.now()) / 1000).toFixed(0)} s left, ${sent} replies  `,
    );
  }, 1000);
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (!isDone()) {
        const { request, token, made } = ready[Math.floor(Math.random() * ready.length)];
        const access = request.account ? { token } : {};
        const reply = await send(made, { ...access, timeoutMs: 1000 + Math.random() * 59_000 });
        replies.get(request.name).push(reply);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }),
  );
  clearInterval(progress);
  process.stderr.write('\n');
  const [pings, ready503, own] = await Promise.all([health, readiness, owner]);
  printRow('what', 'requests', 'p50 ms', 'p99 ms', 'max ms', 'not 200');
  printRow('---', '---', '---', '---', '---', '---');
  for (const [name, { latencies, failed }] of [
    ['/healthz', pings],
    ['/readyz', ready503],
    ['16 tokens of the owner', own],
  ]) {
    const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
    printRow(name, latencies.length, whole(p50), whole(p99), whole(latencies.at(-1)), failed.length);
  }
  printRow('hostile request', 'replies', 'p50 ms', '', 'max ms', '');
  for (const [name, list] of replies) {
    const sorted = list.map(({ ms }) => ms).sort((a, b) => a - b);
    printRow(name, countStatuses(list), whole(quantile(sorted, 0.5)), '', whole(sorted.at(-1) ?? Number.NaN), '');
    check(name, list, { latencies: [], failed: [] });
  }
  check('the owner', [], own);
  const slowest = own.latencies.at(-1);
  if (slowest > MAX_OWNER_MS) problems.push(`requests of the owner took too long, sent after ${own.slow.join(', ')}`);
}

/** Upload what a request refers to. */
async function store(request, token) {
  if (request.stored === undefined) return undefined;
  const { status, text } = await send(upload(Buffer.from(request.stored())), { token });
  if (status !== 201) console.error(`upload for "${request.name}": ${status} ${text.slice(0, 300)}`);
  return status === 201 ? JSON.parse(text).id : 'data_none';
}

function check(name, replies, own) {
  const broken = replies.filter(({ status }) => status === 500).length;
  if (broken > 0) problems.push(`${name}: ${broken} replies with status 500`);
  if (own.failed.length > 0)
    problems.push(`${name}: the owner was refused ${own.failed.length} times: ${own.failed[0]}`);
}

function countStatuses(replies) {
  const counts = new Map();
  for (const { status } of replies) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} × ${status === 0 ? 'none' : status}`).join(', ');
}

try {
  const accounts = [];
  for (let at = 0; at < ACCOUNTS; at++) accounts.push(await registerAccount(server.url, `trial${at}`));
  await warmUp();
  if (kind === 'each') await sendEach(accounts);
  else await sendMixed(accounts, Number(options.seconds), Number(options.clients));
} finally {
  isOver = true;
  const lines = server.log.filter((line) => /restart|stall|silent|unhandled|internal/i.test(line));
  if (lines.length > 0) console.log(`log of the server (${lines.length} lines):\n  ${lines.slice(0, 12).join('\n  ')}`);
  if (!server.isRunning()) problems.push(`the server ended with ${await server.exited}`);
  await server.stop();
}
for (const problem of problems) console.error(`FAILED: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);
