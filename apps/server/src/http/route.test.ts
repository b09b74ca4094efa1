import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, toErrorBody } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { z } from 'zod';
import { createLogger } from '../telemetry/logger.ts';
import { NO_LIMITS } from '../testing/no-limits.ts';
import type { ErrorDialect } from './error-dialect.ts';
import type { HttpEnv } from './http-env.ts';
import { jsonBody } from './json-body.ts';
import { createLoadControl } from './load/request-load.ts';
import { openManual } from './manual/manual.ts';
import { mountRoutes } from './mount-routes.ts';
import { openApiDocument } from './openapi/openapi-document.ts';
import { json, NO_CONTENT } from './openapi/operation.ts';
import { query } from './parameter.ts';
import { type Access, defineRoute } from './route.ts';

/** The worked example of CONTRIBUTING.md: one record, and this is all that a route needs. */
const greet = defineRoute({
  method: 'post',
  path: '/greetings/:name',
  access: bearer('secret'),
  errors: plainErrors(),
  tag: 'greetings',
  summary: 'Greet a user',
  parameters: { times: query('times', 'Number of greetings.', z.int().min(1).max(3).default(1)) },
  body: jsonBody(z.object({ greeting: z.string().max(20) })),
  replies: { 201: json(z.object({ texts: z.array(z.string()), by: z.string() }), 'The greetings.') },
  handle: ({ path, parameters, body, user }) => ({
    texts: Array.from({ length: parameters.times }, () => `${body.greeting} ${path.name}`),
    by: user,
  }),
});

const forget = defineRoute({
  method: 'delete',
  path: '/greetings/:name',
  access: bearer('secret'),
  errors: plainErrors(),
  tag: 'greetings',
  summary: 'Forget a greeting',
  replies: { 204: NO_CONTENT },
  handle: () => undefined,
});

interface TestGuard {
  readonly users: ReadonlyMap<string, string>;
}

/** Access by a bearer token; the grant is the user of the token. */
function bearer(prefix: string): Access<TestGuard, { readonly user: string }> {
  return {
    security: ['token'],
    note: `Tokens begin with ${prefix}.`,
    async authorize({ users }, c) {
      const user = users.get(c.req.header('authorization') ?? '');
      if (user === undefined) throw new ApiError('token_missing');
      return { user };
    },
  };
}

function plainErrors(): ErrorDialect {
  return {
    schema: z.object({ detail: z.looseObject({ message: z.string() }) }),
    write: (error, requestId) => ({ status: error.status, body: toErrorBody(error, requestId) }),
  };
}

function mount(routes: Parameters<typeof mountRoutes<TestGuard>>[1] = [greet, forget]) {
  const app = new Hono<HttpEnv>({ strict: false });
  const clock = (): Date => new Date(0);
  app.use(async (c, next) => {
    c.set('requestId', 'request-1');
    await next();
  });
  mountRoutes(app, routes, {
    loads: createLoadControl(NO_LIMITS),
    guard: { users: new Map([['Bearer secret-1', 'Ada']]) },
    unknownAccess: () => bearer('secret'),
    errors: plainErrors(),
    logger: createLogger(() => {}, clock),
  });
  return async (method: string, path: string, body?: unknown, authorization = 'Bearer secret-1') => {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await app.request(path, { method, headers: { authorization }, ...text });
    const written = await reply.text();
    return { status: reply.status, headers: reply.headers, body: written === '' ? null : JSON.parse(written) };
  };
}

test('serves a record with validated path, parameters and body, and the grant of its access', async () => {
  const send = mount();
  const reply = await send('POST', '/greetings/Bob?times=2', { greeting: 'Hello' });
  assert.deepEqual([reply.status, reply.body], [201, { texts: ['Hello Bob', 'Hello Bob'], by: 'Ada' }]);
  const encoded = await send('POST', '/greetings/B%20b/', { greeting: 'Hi' });
  assert.deepEqual([encoded.status, encoded.body.texts], [201, ['Hi B b']]);
  assert.deepEqual([(await send('DELETE', '/greetings/Bob')).status], [204]);
});

test('authorises before it validates', async () => {
  const reply = await mount()('POST', '/greetings/Bob?times=9', { greeting: 7 }, 'Bearer wrong');
  assert.deepEqual([reply.status, reply.headers.get('www-authenticate')], [401, 'Bearer']);
  assert.equal(reply.body.detail.code, 'token_missing');
});

test('refuses parameters and bodies that their schemas refuse, with the name of the parameter', async () => {
  const send = mount();
  const refused = async (query: string, body: unknown): Promise<unknown> => {
    const reply = await send('POST', `/greetings/Bob${query}`, body);
    assert.equal(reply.status, 400);
    return reply.body.detail.errors;
  };
  const good = { greeting: 'Hello' };
  for (const times of ['0', '4', '-1', '1.5', 'x', '1e0', '%201', '99999999999']) {
    assert.deepEqual(await refused(`?times=${times}`, good), [
      {
        parameter: 'query->times',
        error: `expected an integer from 1 to 3, got ${JSON.stringify(decodeURIComponent(times))}`,
      },
    ]);
  }
  assert.equal((await send('POST', '/greetings/Bob?times=', good)).status, 201, 'an empty parameter counts as absent');
  const [error] = (await refused('', { greeting: 'x'.repeat(21) })) as readonly { readonly parameter: string }[];
  assert.equal(error?.parameter, 'body->greeting');
});

test('answers a known address with another method by 405 and Allow, and an unknown address by 404', async () => {
  const send = mount();
  const wrongMethod = await send('PUT', '/greetings/Bob');
  assert.deepEqual([wrongMethod.status, wrongMethod.headers.get('allow')], [405, 'POST, DELETE']);
  assert.equal((await send('GET', '/nothing')).status, 404);
  assert.equal((await send('PUT', '/greetings/Bob', undefined, '')).status, 401);
  assert.equal((await send('GET', '/nothing', undefined, '')).status, 401);
});

test('refuses to mount two records with the same method and path', () => {
  assert.throws(() => mount([greet, greet]), /two routes for POST \/greetings\/:name/);
});

test('describes a record in the OpenAPI document and in the reference', async () => {
  const document = openApiDocument([greet, forget], '1');
  const operation = document.paths['/greetings/{name}']?.post;
  assert.equal(operation?.summary, 'Greet a user');
  assert.equal(operation?.description, 'Tokens begin with secret.');
  assert.deepEqual(operation?.security, [{ token: [] }]);
  assert.deepEqual(
    operation?.parameters.map(({ name, in: place, schema }) => [name, place, schema]),
    [
      ['name', 'path', { type: 'string' }],
      ['times', 'query', { type: 'integer', minimum: 1, maximum: 3, default: 1 }],
    ],
  );
  assert.ok(operation?.requestBody?.content['application/json'] !== undefined);
  assert.deepEqual(Object.keys(operation?.responses ?? {}), ['201', 'default']);
  const manual = openManual({ folder: null, document: () => document, origin: () => '' });
  assert.match((await manual.reference('greetings')) ?? '', /<b>POST<\/b><code>\/greetings\/\{name\}<\/code>/);
});
