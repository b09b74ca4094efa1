import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { createLogger } from '../../telemetry/logger.ts';
import type { HttpEnv } from '../http-env.ts';
import { cors } from './cors.ts';
import { requestLog } from './request-log.ts';
import { securityHeaders } from './security-headers.ts';

const ORIGIN = 'https://app.example.org';

function edge(origins: readonly string[] = [], hstsSeconds = 0, secure = false) {
  const lines: string[] = [];
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    c.set('secure', secure);
    await next();
  });
  app.use(
    requestLog(
      createLogger(
        (line) => lines.push(line),
        () => new Date(0),
      ),
    ),
  );
  app.use(securityHeaders({ hstsSeconds }));
  app.use(cors(origins));
  app.onError((_, c) => c.text('failed', 500));
  app.get('/', (c) => c.text('ok'));
  app.get('/page', (c) =>
    c.html('<p>', 200, { 'content-security-policy': "default-src 'self'", 'cache-control': 'max-age=9' }),
  );
  app.get('/throws', () => {
    throw new Error('no');
  });
  return { app, lines };
}

test('forbids sniffing, framing and loading in every reply, also of errors and unknown addresses', async () => {
  for (const path of ['/', '/throws', '/nothing']) {
    const { headers } = await edge().app.request(path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('strict-transport-security'), null);
  }
});

test('keeps the policy and caching that a page sets', async () => {
  const { headers } = await edge().app.request('/page');
  assert.equal(headers.get('content-security-policy'), "default-src 'self'");
  assert.equal(headers.get('cache-control'), 'max-age=9');
  assert.equal(headers.get('x-frame-options'), 'DENY');
});

test('sends Strict-Transport-Security only over TLS', async () => {
  const promised = async (secure: boolean): Promise<string | null> =>
    (await edge([], 3600, secure).app.request('/')).headers.get('strict-transport-security');
  assert.equal(await promised(true), 'max-age=3600; includeSubDomains');
  assert.equal(await promised(false), null);
});

test('sends no CORS headers without configured origins', async () => {
  const { headers } = await edge().app.request('/', { headers: { origin: ORIGIN } });
  assert.equal(headers.get('access-control-allow-origin'), null);
  assert.equal(headers.get('vary'), null);
});

test('lets a listed origin read replies without credentials, and no other origin', async () => {
  const ask = async (origin: string) => (await edge([ORIGIN]).app.request('/', { headers: { origin } })).headers;
  const known = await ask(ORIGIN);
  assert.equal(known.get('access-control-allow-origin'), ORIGIN);
  assert.equal(known.get('access-control-allow-credentials'), null);
  // The headers that the server sends, and no others.
  assert.match(
    known.get('access-control-expose-headers') ?? '',
    /^X-Request-Id, Retry-After, RateLimit, .*Reset-Tokens$/,
  );
  assert.match(known.get('vary') ?? '', /Origin/);
  assert.equal(known.get('cross-origin-resource-policy'), 'cross-origin');
  for (const origin of ['https://evil.example.org', `${ORIGIN}.evil.org`, 'null', 'http://app.example.org']) {
    const other = await ask(origin);
    assert.equal(other.get('access-control-allow-origin'), null, origin);
    assert.equal(other.get('cross-origin-resource-policy'), 'same-origin');
    assert.match(other.get('vary') ?? '', /Origin/);
  }
});

test('answers the preflight of a listed origin without a token, and no other preflight', async () => {
  const preflight = async (origin: string) =>
    await edge([ORIGIN]).app.request('/', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const reply = await preflight(ORIGIN);
  assert.equal(reply.status, 204);
  assert.match(reply.headers.get('access-control-allow-headers') ?? '', /Authorization/);
  assert.match(reply.headers.get('access-control-allow-methods') ?? '', /POST/);
  assert.equal((await preflight('https://evil.example.org')).status, 404);
});

test('keeps a valid request id of the caller, and replaces one that could break a log line', async () => {
  const idOf = async (id: string): Promise<[string, string]> => {
    const { app, lines } = edge();
    const reply = await app.request('/', { headers: { 'x-request-id': id } });
    const logged: unknown = JSON.parse(lines[0] ?? '');
    assert.equal(lines.length, 1);
    return [reply.headers.get('x-request-id') ?? '', String(Reflect.get(Object(logged), 'request_id'))];
  };
  assert.deepEqual(await idOf('job-7:attempt.2'), ['job-7:attempt.2', 'job-7:attempt.2']);
  for (const bad of ['a b', '<script>', 'x'.repeat(129), '{"level":"error"}', '']) {
    const [sent, logged] = await idOf(bad);
    assert.match(sent, /^[0-9a-f-]{36}$/);
    assert.equal(logged, sent);
  }
});

test('logs a path with line breaks in one line', async () => {
  const { app, lines } = edge();
  await app.request('/%0a%7b%22level%22:%22error%22%7d');
  assert.equal(lines.join('').trimEnd().split('\n').length, 1);
  assert.equal(Reflect.get(Object(JSON.parse(lines[0] ?? '')), 'status'), 404);
});
