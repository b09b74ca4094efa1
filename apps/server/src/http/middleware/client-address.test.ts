import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { createLogger } from '../../telemetry/logger.ts';
import type { HttpEnv } from '../http-env.ts';
import { clientAddress } from './client-address.ts';

const lines: string[] = [];

async function seen(
  trusted: readonly string[],
  peer: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const app = new Hono<HttpEnv>();
  const logger = createLogger(
    (line) => lines.push(line),
    () => new Date(0),
  );
  app.use(clientAddress(trusted, logger));
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

test('knows no address behind a proxy that names none: the address of the proxy belongs to no client', async () => {
  lines.length = 0;
  for (const hops of ['<script>', 'unknown, , 10.0.0.2', '', '1.2.3.4.5', '[::1', '999.1.1.1:80', '10.0.0.9:1']) {
    const [address] = (await seen(['10.0.0.0/8'], '10.0.0.1', { 'x-forwarded-for': hops })) as string[];
    assert.equal(address, '', hops);
  }
  assert.match(lines[0] ?? '', /names no client in X-Forwarded-For.*10\.0\.0\.1/);
});

test('reads addresses with the ports that some proxies add', async () => {
  for (const [hop, expected] of [
    ['203.0.113.7:4711', '203.0.113.7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['2001:db8::7', '2001:db8::7'],
    ['::FFFF:203.0.113.7', '203.0.113.7'],
    ['6.6.6.6:1, 203.0.113.7:4711, 10.0.0.2:80', '203.0.113.7'],
  ]) {
    const [address] = (await seen(['10.0.0.0/8'], '10.0.0.1', { 'x-forwarded-for': hop ?? '' })) as string[];
    assert.equal(address, expected, hop);
  }
});
