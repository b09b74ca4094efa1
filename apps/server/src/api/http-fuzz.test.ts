import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Listener, listen } from '../http/listen.ts';
import { type FuzzRoute, fuzzMessages, sendFuzzed } from '../testing/http-fuzzer.ts';
import { NO_LIMITS } from '../testing/no-limits.ts';
import { openTestApp, type TestApp, TOKEN } from '../testing/test-app.ts';

const REQUESTS = 1500;
const CONNECTIONS = 16;
const SEED = 20221127;
/** Time limits of the server for what a client does not send. */
const TIMEOUTS = { headersMs: 1000, requestMs: 2000, idleMs: 5000, keepAliveMs: 1000, checkEveryMs: 200 };
const HANG_MS = 30_000;

let it: TestApp;
let listener: Listener;
before(async () => {
  // Requests whose end is missed add up to more.
  const load = { ...NO_LIMITS, requests: CONNECTIONS * 6 };
  it = await openTestApp({ load, waiting: { headerDelayMs: 100, spaceIntervalMs: 1000 } });
  listener = await listen((request, peer) => it.app.fetch(request, { peer }), { host: '127.0.0.1', port: 0 }, TIMEOUTS);
});
after(async () => {
  await listener.close();
  await it.close();
});

test(`answers ${REQUESTS} damaged, truncated and pipelined requests without a 500, a crash or a hang`, async () => {
  const routes: FuzzRoute[] = it.app.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/*')
    .map(({ method, path }) => ({ method, path: path.replaceAll(/:(\w+)(?:\{[^{}:]*\})?/g, '{$1}') }));
  const messages = fuzzMessages(routes, { seed: SEED, token: TOKEN });
  const statuses = new Map<number, number>();
  const bad: string[] = [];
  let sent = 0;
  const send = async (): Promise<void> => {
    while (sent < REQUESTS) {
      const message = messages.next().value;
      sent += message.requests;
      const reply = await sendFuzzed(listener.port, message, HANG_MS);
      for (const status of reply.statuses) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (reply.hung || reply.statuses.includes(500)) bad.push(message.bytes.toString('latin1').slice(0, 2000));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, send));
  const unexpected = it.logLines.filter((line) => line.includes('"level":"error"'));
  assert.deepEqual(bad, [], unexpected.join('\n'));
  // The requests reach routes, authentication and validation.
  for (const status of [200, 400, 401, 404, 405]) assert.ok((statuses.get(status) ?? 0) > 10, `${[...statuses]}`);
  assert.equal(statuses.get(503), undefined);
  const probe = await fetch(`${listener.url}/healthz`);
  assert.equal(probe.status, 200);
});
