import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import type { HttpEnv } from '../http-env.ts';
import { clientAddress } from './client-address.ts';

async function seen(
  trusted: readonly string[],
  peer: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const app = new Hono<HttpEnv>();
  app.use(clientAddress(trusted));
  app.get('/', (c) => c.json([c.get('clientAddress'), c.get('secure')]));
  return await (await app.request('/', { headers }, { peer: { address: peer, encrypted: false } })).json();
}

const forwarded = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9, 10.0.0.2', 'x-forwarded-proto': 'https' };

test('without trusted proxies, uses the address of the connection and ignores the headers', async () => {
  assert.deepEqual(await seen([], '198.51.100.7', forwarded), ['198.51.100.7', false]);
  assert.deepEqual(await seen(['10.0.0.0/8'], '198.51.100.7', forwarded), ['198.51.100.7', false]);
});

test('uses the last address that is not a trusted proxy, not those that the client wrote before it', async () => {
  assert.deepEqual(await seen(['10.0.0.0/8'], '10.0.0.1', forwarded), ['203.0.113.9', true]);
  assert.deepEqual(await seen(['::1', '10.0.0.2'], '::1', forwarded), ['203.0.113.9', true]);
  assert.deepEqual(await seen(['10.0.0.0/8'], '::ffff:10.0.0.1', forwarded), ['203.0.113.9', true]);
});

test('ignores headers without a valid address', async () => {
  for (const hops of ['<script>', 'unknown, , 10.0.0.2', '']) {
    const [address] = (await seen(['10.0.0.0/8'], '10.0.0.1', { 'x-forwarded-for': hops })) as string[];
    assert.match(address ?? '', /^10\.0\.0\.[12]$/);
  }
});
