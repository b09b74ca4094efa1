// `node scripts/trials/healthz.mjs [--only TEXT] [--times N] [--max MS] [--phase NAME]`
//
// How long the server is silent while it deals with one request: sends every hostile request of a phase alone, N times one
// after the other, to a server without other work, and asks for /healthz every 10 ms meanwhile. Prints the latencies of
// /healthz and the replies, beside those without any request, and the load of the machine. Fails when the 99th percentile
// of a request exceeds MS.
import { Agent, request as httpRequest } from 'node:http';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { prepare } from '../prepare.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    times: { type: 'string', default: '3' },
    max: { type: 'string', default: '50' },
    phase: { type: 'string', default: 'parse' },
  },
});
await prepare();
const { HOSTILE_REQUESTS, upload } = await import('./hostile-requests.mjs');
const { LARGE_REPLIES } = await import('./large-replies.mjs');
const { startTrialServer } = await import('./trial-server.mjs');

/** Pings before the first request and after the last reply. */
const MARGIN_MS = 300;

// The waiting of plans is not measured: the owner's account has no limits.
const server = await startTrialServer();
const token = server.ownerToken;

function send({ method, path, headers = {}, body }, agent = false) {
  const { hostname, port } = new URL(server.url);
  const access = { authorization: `Bearer ${token}` };
  const started = performance.now();
  return new Promise((resolve) => {
    const end = (status, text = '', bytes = 0) => resolve({ status, text, bytes, ms: performance.now() - started });
    const sent = httpRequest({ hostname, port, method, path, agent, headers: { ...access, ...headers } }, (reply) => {
      let bytes = 0;
      let text = '';
      reply.on('data', (chunk) => {
        bytes += chunk.length;
        if (text.length < 4000) text += chunk;
      });
      reply.on('end', () => end(reply.statusCode, text, bytes));
      reply.on('error', () => end(0));
    });
    sent.on('error', () => end(0));
    sent.end(body);
  });
}

/** Ask for /healthz until `isDone`: one every 10 ms, whether or not the one before has been answered. */
async function ping(isDone) {
  const agent = new Agent({ keepAlive: true });
  const pings = [];
  while (!isDone()) {
    pings.push(send({ method: 'GET', path: '/healthz' }, agent));
    await delay(10);
  }
  const latencies = (await Promise.all(pings)).map(({ ms }) => ms);
  agent.destroy();
  return latencies.sort((a, b) => a - b);
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const failed = [];

async function measure(name, requests) {
  let isDone = false;
  const pinging = ping(() => isDone);
  await delay(MARGIN_MS);
  const replies = [];
  for (const request of requests) replies.push(await send(request));
  await delay(MARGIN_MS);
  isDone = true;
  const latencies = await pinging;
  const [p50, p99, most] = [quantile(latencies, 0.5), quantile(latencies, 0.99), latencies.at(-1)];
  const slowest = Math.max(0, ...replies.map(({ ms }) => ms));
  const statuses = [...new Set(replies.map(({ status }) => status))].join(', ');
  row(name, latencies.length, p50.toFixed(0), p99.toFixed(0), most.toFixed(0), statuses, slowest.toFixed(0));
  if (p99 > Number(options.max)) failed.push(`${name}: p99 ${p99.toFixed(0)} ms`);
}

try {
  const requests = [...HOSTILE_REQUESTS, ...LARGE_REPLIES].filter(
    ({ name, phase }) => name.includes(options.only) && (options.phase === 'all' || phase === options.phase),
  );
  console.log(
    `load of the machine: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
  );
  row('request', 'pings', 'p50', 'p99', 'max', 'replies', 'slowest reply');
  row('---', '---', '---', '---', '---', '---', '---');
  const warm = { prompt: 'Once upon a time', max_tokens: 4 };
  for (let at = 0; at < 10; at++) {
    await send({ method: 'POST', path: '/v1/completions', body: JSON.stringify(warm) });
  }
  await measure('nothing', []);
  for (const request of requests) {
    const stored = request.stored === undefined ? null : await send(upload(Buffer.from(request.stored())));
    if (stored !== null && stored.status !== 201) console.error(`upload: ${stored.status} ${stored.text}`);
    const dataId = stored === null ? undefined : JSON.parse(stored.text).id;
    for (const before of request.before ?? []) await send(before);
    // Made before the first ping, which this process would answer for.
    const made = Array.from({ length: Number(options.times) }, () => request.make(dataId));
    await measure(request.name, made);
  }
  console.log(
    `load of the machine: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
  );
} finally {
  await server.stop();
}
for (const name of failed) console.error(`FAILED: ${name}`);
process.exit(failed.length > 0 ? 1 : 0);
