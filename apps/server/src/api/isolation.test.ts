import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { GPTJ_PIPELINE_ID, newId } from '@gptj-cloud/protocol';
import { identities } from '../identity/identity-tables.ts';
import { type Browser, refusal, registerAndSignIn } from '../testing/browser.ts';
import { reportDocument, smallReport } from '../testing/small-report.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';

let it: TestApp;
let percy: Browser;
let mallory: Browser;
/** Ids of Percy's entries by their addresses. */
let things: ReadonlyMap<string, string>;

before(async () => {
  let ms = NOW.getTime();
  it = await openTestApp({ clock: () => new Date(++ms) });
  percy = await registerAndSignIn(it, 'percy');
  mallory = await registerAndSignIn(it, 'mallory');
  const made = async (path: string, body: unknown): Promise<object> => {
    const reply = await percy.ask(path, 'POST', body);
    assert.ok(reply.ok, `${path}: ${await reply.clone().text()}`);
    return Object(await reply.json());
  };
  const idOf = (thing: unknown): string => String(Reflect.get(Object(thing), 'id'));
  const run = await made('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['private', { response_length: 1 }] });
  const project = await made('/v2/projects', { name: 'of Percy' });
  const invited = await made(`/v2/projects/${idOf(project)}/invitations`, { email: 'mary@example.com' });
  const identityId = newId('identity');
  await it.store.db.insert(identities).values({
    id: identityId,
    userId: percy.user.id,
    provider: 'corp',
    issuer: 'https://corp.example',
    subject: '1',
    name: 'percy',
    createdAt: NOW,
  });
  things = new Map([
    ['/v2/users', percy.user.id],
    ['/v2/auth/sessions', percy.session.id],
    ['/v2/auth/identities', identityId],
    ['/v2/tokens', idOf(await made('/v2/tokens', {}))],
    ['/v2/projects', idOf(project)],
    ['/v2/invitations', idOf(Reflect.get(invited, 'data')?.[0])],
    ['/v2/runs', idOf(run)],
    ['/v2/admin/runs', idOf(run)],
    ['/v2/data', idOf(Reflect.get(run, 'data'))],
    ['/v2/files', idOf(Reflect.get(run, 'result'))],
    ['/v2/webhooks', idOf(await made('/v2/webhooks', { url: 'https://example.com/hook' }))],
    ['/v2/pipeline-tags', idOf(await made('/v2/pipeline-tags', { name: 'mine:v1', pipeline_id: GPTJ_PIPELINE_ID }))],
    ['/v2/pipeline-tags/by-name', 'mine:v1'],
    ['/v2/presets', idOf(await made('/v2/presets', { name: 'mine', parameters: { temperature: 0.7 } }))],
    ['/v2/evaluations', idOf(await made('/v2/evaluations', smallReport()))],
  ]);
});
after(() => it.close());

/** Built-in objects, the same for every project. */
const SHARED = [
  '/v2/auth/oauth',
  '/v2/pipelines',
  '/v2/environments',
  '/v2/environments/by-name',
  '/v1/models',
  '/v1/engines',
  '/models',
  '/pipeline',
  '/docs',
  '/docs/reference',
  '/docs/screens',
];

/** Bodies that are valid for the owner. */
const BODIES: Readonly<Record<string, unknown>> = {
  'PATCH /v2/users': { role: 'member' },
  'PATCH /v2/tokens': { is_enabled: false },
  'PATCH /v2/projects': { name: 'of Mallory' },
  'POST /v2/projects/members': { username: 'mallory' },
  'POST /v2/projects/invitations': { email: 'mallory@example.com' },
  'PATCH /v2/webhooks': { url: 'https://example.org/hook' },
  'PATCH /v2/pipeline-tags': { pipeline_id: GPTJ_PIPELINE_ID },
  'PATCH /v2/presets': { name: 'of Mallory' },
  'POST /v2/evaluations/documents': { task: 0, documents: [reportDocument(0)] },
};

/** Routes for owners of the server refuse others before they look for the id. */
const OF_THE_SERVER = [
  '/v2/users',
  '/v2/invitations',
  '/v2/admin/runs',
  '/v2/admin/models',
  '/v2/admin/models/served',
  '/v2/admin/models/pulls',
];

interface Route {
  readonly method: string;
  readonly path: string;
  /** The path up to the first parameter. */
  readonly root: string;
}

function routesWithIds(): Route[] {
  const routes = it.app.routes.filter(({ method, path }) => method !== 'ALL' && path.includes(':'));
  return routes.map(({ method, path }) => ({ method, path, root: path.slice(0, path.indexOf('/:')) }));
}

function ask(by: Browser, { method, path }: Route, id: string): Promise<Response> {
  const others: Readonly<Record<string, string>> = { user: percy.user.id };
  let first = true;
  const target = path.replace(/:(\w+)(\{\.\+\})?/g, (_, name: string) => {
    if (!first) return others[name] ?? newId('invitation');
    first = false;
    return id;
  });
  const action = path
    .split('/')
    .filter((part) => !part.startsWith(':'))
    .join('/');
  // A comparison is with another evaluation, or with itself.
  const query = action.includes('/comparison') ? `?other=${id}` : '';
  return by.ask(`${target}${query}`, method, method === 'GET' ? undefined : (BODIES[`${method} ${action}`] ?? {}));
}

test('replies to every route with an id only for the owner', async () => {
  let walked = 0;
  for (const route of routesWithIds()) {
    if (SHARED.includes(route.root)) continue;
    const id = route.root.startsWith('/v2/admin/models') ? 'gpt-j-6b' : things.get(route.root);
    assert.ok(id !== undefined, `${route.path}: add its owner to this test`);
    const reply = await ask(mallory, route, id);
    const expected = OF_THE_SERVER.includes(route.root) ? 403 : 404;
    assert.equal(reply.status, expected, `${route.method} ${route.path}: ${await reply.text()}`);
    walked++;
  }
  assert.ok(walked >= 25, `${walked} routes`);
  for (const route of routesWithIds()) {
    const id = things.get(route.root);
    if (id === undefined || route.method !== 'GET' || route.root === '/v2/users') continue;
    const reply = await ask(percy, route, id);
    assert.equal(reply.status, 200, `${route.path} after it all`);
    await reply.body?.cancel();
  }
});

test('lists only entries of the project', async () => {
  const lists = ['tokens', 'projects', 'runs', 'webhooks', 'pipeline-tags', 'presets', 'evaluations'];
  for (const path of lists.map((name) => `/v2/${name}`)) {
    const id = things.get(path) ?? '';
    assert.ok((await (await percy.ask(path)).text()).includes(id), path);
    assert.ok(!(await (await mallory.ask(path)).text()).includes(id), path);
    const init = { headers: { authorization: 'Bearer test-token-0123456789' } };
    assert.ok(!(await (await it.app.request(path, init)).text()).includes(id), `${path}, owner of the server`);
  }
});

test('reports changes of runs only to their project', async () => {
  const follow = async (by: Browser): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
    const { body } = await by.ask('/v2/events');
    assert.ok(body !== null);
    return body.getReader();
  };
  const [ofPercy, ofMallory] = [await follow(percy), await follow(mallory)];
  const next = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> =>
    new TextDecoder().decode((await reader.read()).value);
  for (const reader of [ofPercy, ofMallory]) assert.match(await next(reader), /^event: resync\n/);
  const start = async (by: Browser, prompt: string): Promise<void> => {
    const body = { pipeline_id: GPTJ_PIPELINE_ID, data: [prompt, { response_length: 1 }] };
    await (await by.ask('/v2/runs', 'POST', body)).text();
  };
  await start(percy, 'of Percy alone');
  await start(mallory, 'of Mallory alone');
  assert.match(await next(ofPercy), /^event: run\ndata: .*of Percy alone/);
  assert.match(await next(ofMallory), /^event: run\ndata: .*of Mallory alone/);
  for (const reader of [ofPercy, ofMallory]) await reader.cancel();
});

test('refuses data and files of another project in a run, and finds no run of another project by its key', async () => {
  const run = { pipeline_id: GPTJ_PIPELINE_ID, data_id: things.get('/v2/data') };
  assert.equal((await mallory.ask('/v2/runs', 'POST', run)).status, 404);
  const check = await (await mallory.ask('/v2/runs/check', 'POST', run)).text();
  assert.match(check, /"code":"not_found"/);
  assert.equal((await mallory.ask('/v2/data', 'POST', { id: things.get('/v2/files') })).status, 404);
  const byKey = (by: Browser) =>
    by.ask('/v2/runs', 'POST', { pipeline_id: GPTJ_PIPELINE_ID, data: ['same', {}] }, { 'idempotency-key': 'same' });
  const [one, two] = [await (await byKey(percy)).text(), await (await byKey(mallory)).text()];
  assert.notEqual(/run_[0-9a-f]{32}/.exec(one)?.[0], /run_[0-9a-f]{32}/.exec(two)?.[0]);
});

test('refuses compressed bodies, so that no bomb is decompressed', async () => {
  const reply = await it.request('/v2/runs', {
    method: 'POST',
    body: gzipSync(Buffer.alloc(1_000_000)),
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  });
  assert.equal(await refusal(reply), '415 encoding_refused');
});
