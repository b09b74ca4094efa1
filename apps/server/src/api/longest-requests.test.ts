import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApp, type TestApp } from '../testing/test-app.ts';

/** What backtracks: runs of one character with something else at the end, and runs of separators. */
const SHAPES = ['/', ' ', '%25', '%00', ',', '"', ';', '=', 'a', '; ', '\\"'] as const;
const HEADERS = [
  'accept',
  'authorization',
  'content-encoding',
  'content-type',
  'cookie',
  'idempotency-key',
  'last-event-id',
  'origin',
  'sec-fetch-site',
  'traceparent',
  'tracestate',
  'x-confirm-password',
  'x-csrf-token',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-project-id',
  'x-request-id',
] as const;
const ADDRESS_BYTES = 2048;
/** What Node takes of all headers together. */
const HEADER_BYTES = 15_000;
/** A batch holds every STEP-th route. Quadratic time on 15 KB is hundreds of times that of a plain request. */
const STEP = 15;
const MAX_FACTOR = 25;
const MIN_PLAIN_MS = 20;

let it: TestApp;
before(async () => {
  it = await openTestApp({ trustedProxies: ['192.0.2.1'] });
});
after(() => it.close());

interface Target {
  readonly method: string;
  readonly path: string;
}

async function batchMs(
  targets: readonly Target[],
  write: (target: Target) => { readonly path: string; readonly headers: Record<string, string> },
): Promise<number> {
  const startedAt = performance.now();
  for (const target of targets) {
    const { path, headers } = write(target);
    const init = { method: target.method, headers: { authorization: 'Bearer wrong', ...headers } };
    const peer = { address: '192.0.2.1', encrypted: false, disconnect: () => {} };
    const reply = await it.app.request(path, init, { peer });
    assert.notEqual(reply.status, 500, `${target.method} ${path.slice(0, 80)} ${JSON.stringify(headers).slice(0, 80)}`);
    await reply.body?.cancel();
  }
  return performance.now() - startedAt;
}

const filled = (shape: string, length: number): string => `${shape.repeat(length).slice(0, length - 1)}x`;
/** As a client has to write it in an address. */
const inAddress = (shape: string): string => encodeURI(shape).replaceAll('%2525', '%25').replaceAll('%2500', '%00');

test('refuses every route with the longest path, query, cookie and headers in linear time', async () => {
  const routes = it.app.routes.filter(
    ({ method, path }) => path !== '/*' && method !== 'ALL' && !path.startsWith('/docs'),
  );
  const targets = (batch: number): readonly Target[] => routes.filter((_, at) => at % STEP === batch % STEP);
  const plain = ({ path }: Target) => ({ path: path.replaceAll(/:\w+/g, 'x'), headers: {} });
  // The first round compiles.
  await batchMs(routes, plain);
  const plainMs = Math.max(MIN_PLAIN_MS, (await batchMs(routes, plain)) / STEP);
  let batch = 0;
  const check = async (
    what: string,
    write: (target: Target) => { path: string; headers: Record<string, string> },
  ): Promise<void> => {
    const ms = await batchMs(targets(batch++), write);
    assert.ok(ms < plainMs * MAX_FACTOR, `${what}: ${ms} ms, plain ${plainMs} ms`);
  };
  for (const shape of SHAPES) {
    const text = filled(inAddress(shape), ADDRESS_BYTES - 200);
    const long = filled(inAddress(shape), HEADER_BYTES);
    await check(`path of ${shape}`, ({ path }) => ({ path: `${path.replaceAll(/:\w+/g, 'x')}/${text}`, headers: {} }));
    await check(`segment of ${shape}`, ({ path }) => ({
      path: path.replaceAll(/:\w+/g, text.slice(0, 900)),
      headers: {},
    }));
    await check(`query of ${shape}`, (target) => ({ ...plain(target), path: `${plain(target).path}?limit=${text}` }));
    await check(`longest path of ${shape}`, ({ path }) => ({ path: `/v2${long}${path}`, headers: {} }));
    for (const name of HEADERS) {
      const prefix = {
        cookie: 'gptj_session=',
        authorization: 'Bearer ',
        'content-type': 'multipart/form-data; boundary=',
      };
      const value = `${Reflect.get(prefix, name) ?? ''}${filled(shape, HEADER_BYTES)}`;
      await check(`${name} of ${shape}`, (target) => ({ ...plain(target), headers: { [name]: value } }));
    }
  }
});
