// Sends damaged HTTP to a server of its own: bodies, headers, methods, paths, encodings, pipelining, truncation.
//
//   node scripts/trials/http-fuzz.mjs [--requests 200000] [--connections 32] [--seed 1]
//
// Prints the replies by status. Fails when the server ends, when it answers a request with 500, and when it neither answers
// nor ends a connection within two minutes.
import { parseArgs } from 'node:util';
import { prepare } from '../prepare.mjs';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    connections: { type: 'string', default: '32' },
    seed: { type: 'string', default: '1' },
  },
});
const HANG_MS = 150_000;
const PROGRESS_MS = 10_000;
/** Their replies never end: sooner or later every connection would wait for one. */
const ENDLESS = ['/v2/events'];
/** So that the limits on load, which have tests of their own, do not answer in place of the routes. */
const env = { WORK_PERCENT_PER_CLIENT: '10000', WORK_BURST_SECONDS: '3600', MAX_ATTEMPTS_PER_ADDRESS: '100000' };

await prepare();
const { fuzzMessages, sendFuzzed } = await import('../../apps/server/dist/testing/http-fuzzer.js');
const { startTrialServer } = await import('./trial-server.mjs');

const server = await startTrialServer({ env });
const { paths } = await (await fetch(`${server.url}/openapi.json`)).json();
const routes = Object.entries(paths)
  .filter(([path]) => !ENDLESS.includes(path))
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ method, path })));
const messages = fuzzMessages(routes, { seed: Number(values.seed), token: server.ownerToken });
const port = Number(new URL(server.url).port);
const statuses = new Map();
const bad = [];
let sent = 0;
let connections = 0;
const started = performance.now();
const progress = setInterval(async () => {
  console.log(`${sent} requests, ${connections} connections, ${Math.round((performance.now() - started) / 1000)} s`);
  await askPlainly();
}, PROGRESS_MS);

/** Whatever came before, a valid request is answered. */
async function askPlainly() {
  const headers = { authorization: `Bearer ${server.ownerToken}` };
  const reply = await fetch(`${server.url}/v2/users/me`, { headers }).catch(() => null);
  const text = await reply?.text();
  if (reply?.status === 200) return;
  bad.push('plain');
  console.log(`plain request: ${reply?.status} ${text}`);
}

async function send() {
  while (sent < Number(values.requests) && server.isRunning()) {
    const message = messages.next().value;
    sent += message.requests;
    connections++;
    const reply = await sendFuzzed(port, message, HANG_MS);
    for (const status of reply.statuses) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const fault = reply.hung ? 'hang' : reply.statuses.includes(500) ? '500' : null;
    if (fault === null) continue;
    bad.push(fault);
    console.log(`${fault}: ${JSON.stringify(message.bytes.toString('latin1').slice(0, 1500))}`);
  }
}
await Promise.all(Array.from({ length: Number(values.connections) }, send));
clearInterval(progress);
await askPlainly();
const alive = server.isRunning() && (await fetch(`${server.url}/healthz`)).ok;
console.log(
  `\n${sent} requests on ${connections} connections in ${Math.round((performance.now() - started) / 1000)} s\n`,
);
console.log('status  replies');
for (const [status, replies] of [...statuses].sort()) console.log(`${status}     ${replies}`);
const errors = server.log.filter((line) => line.includes('"level":"error"'));
for (const line of errors.slice(0, 20)) console.log(`\n${line.slice(0, 1500)}`);
if (!alive) console.log('\nthe server ended');
await server.stop();
if (bad.length > 0 || errors.length > 0 || !alive) process.exitCode = 1;
