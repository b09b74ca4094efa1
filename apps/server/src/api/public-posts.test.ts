import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { registerAndSignIn } from '../testing/browser.ts';
import { NO_LIMITS } from '../testing/no-limits.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';

const ATTEMPTS = 5;
let it: TestApp;
before(async () => {
  it = await openTestApp({ load: { ...NO_LIMITS, attemptsBurst: ATTEMPTS, attemptsPerSecond: 0.001 } });
});
after(() => it.close());

async function post(path: string, address: string, body: string): Promise<number> {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  const reply = await it.app.request(path, init, { peer: { address, encrypted: false, disconnect: () => {} } });
  return reply.status;
}

/** Posts that need no credentials: those that do answer 401. */
async function publicPosts(): Promise<readonly string[]> {
  const found: string[] = [];
  const paths = it.app.routes
    .filter(({ method }) => method === 'POST')
    .map(({ path }) => path.replaceAll(/:\w+/g, 'x'));
  for (const path of new Set(paths)) if ((await post(path, '', '{')) !== 401) found.push(path);
  return found;
}

test('counts every public POST by its address before its body is read, except signed events', async () => {
  const paths = await publicPosts();
  assert.ok(paths.length >= 8, paths.join(' '));
  for (const [at, path] of paths.entries()) {
    const address = `198.51.100.${at}`;
    const statuses: number[] = [];
    for (let i = 0; i <= ATTEMPTS; i++) statuses.push(await post(path, address, '{'));
    assert.equal(statuses.indexOf(429), path === '/v2/billing/stripe-webhook' ? -1 : ATTEMPTS, `${path} ${statuses}`);
  }
});

test('does not count sign-ins that succeed', async () => {
  await registerAndSignIn(it, 'percy');
  const body = JSON.stringify({ login: 'percy', password: 'Ozymandias1818' });
  for (let i = 0; i < ATTEMPTS * 3; i++) assert.equal(await post('/v2/auth/login', '203.0.113.1', body), 200);
});
