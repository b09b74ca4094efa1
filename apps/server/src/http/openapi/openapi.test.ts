import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { PUBLIC_ROUTES } from '../../api/access/auth.ts';
import { COMPATIBLE_OPERATIONS } from '../../api/compatible-operations.ts';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { OPERATIONS, openApiDocument, openApiPath } from './openapi-document.ts';
import { json, type Operation } from './operation.ts';
import { REFERENCE_POLICY, referencePage } from './reference-page.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const routesOf = (app: TestApp['app']): Set<string> =>
  new Set(
    app.routes
      .filter(({ method, path }) => method !== 'ALL' && !path.endsWith('*'))
      .map(({ method, path }) => `${method} ${openApiPath(path)}`),
  );

test('every route is described, and everything described is a route', () => {
  const described = new Set(OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${openApiPath(path)}`));
  const routes = routesOf(it.app);
  assert.deepEqual(
    [...routes].filter((route) => !described.has(route)),
    [],
    'not described',
  );
  assert.deepEqual(
    [...described].filter((route) => !routes.has(route)),
    [],
    'no route',
  );
});

test('what is described as open to anybody is what the auth layer lets pass, and nothing else', () => {
  for (const { path, method, access } of OPERATIONS) {
    const route = `${method.toUpperCase()} ${path}`;
    assert.equal(access === 'public', PUBLIC_ROUTES.has(route), route);
  }
});

test('the document is whole: every reference leads somewhere, every id is used once', async () => {
  const reply = await it.app.request('/openapi.json');
  assert.equal(reply.status, 200);
  const text = await reply.text();
  const document: unknown = JSON.parse(text);
  const { paths, components } = z
    .object({
      openapi: z.string().regex(/^3\.1\./),
      paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
      components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
    })
    .parse(document);
  const targets = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
  assert.ok(targets.length > 20);
  for (const target of targets) {
    const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(target) ?? [];
    assert.ok(name in components.schemas, target);
  }
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  assert.equal(new Set(ids).size, ids.length);
});

test('bodies are described by the schemas that check them', () => {
  const { paths, components } = openApiDocument(OPERATIONS, '1');
  assert.deepEqual(paths['/v2/runs']?.post?.requestBody?.content['application/json'], {
    schema: { $ref: '#/components/schemas/RunCreate' },
  });
  const properties = Object(components.schemas.RunCreate?.properties);
  assert.ok('pipeline_id' in properties && 'async_run' in properties);
  assert.deepEqual(paths['/v2/runs/{id}']?.get?.parameters, [
    { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
  ]);
});

const shape = z.object({ properties: z.record(z.string(), z.unknown()) });

test('refusals of the compatible APIs have the shape that is described', async () => {
  const { paths } = openApiDocument(OPERATIONS, '1');
  for (const { path, method, refusal } of COMPATIBLE_OPERATIONS) {
    if (method !== 'post') continue;
    const reply = await it.app.request(path.replace(':name{.+}', 'gpt-j-6b'), { method: 'POST' });
    assert.equal(reply.status, 401, path);
    const described = shape.parse(
      paths[openApiPath(path)]?.post?.responses.default?.content?.['application/json']?.schema,
    );
    assert.deepEqual(described.properties, shape.parse(refusal).properties);
    assert.deepEqual(Object.keys(Object(await reply.json())), Object.keys(described.properties), path);
  }
});

test('fields of the compatible APIs are those that their parsers name', async () => {
  const { paths } = openApiDocument(OPERATIONS, '1');
  for (const path of ['/complete', '/generate']) {
    const body = shape.parse(paths[path]?.post?.requestBody?.content['application/json']?.schema);
    const reply = await it.post(path, { inputs: 'a', context: 'a' });
    const { error } = z.object({ error: z.string() }).parse(await reply.json());
    const [, named = ''] = /unknown; expected ([\w, ]+)/.exec(error) ?? [];
    assert.deepEqual(named.split(/, | and /), Object.keys(body.properties), error);
  }
  const { parameters, options } = z
    .object({ parameters: shape, options: shape })
    .parse(shape.parse(paths['/generate']?.post?.requestBody?.content['application/json']?.schema).properties);
  assert.ok('watermark' in parameters.properties);
  const all = Object.fromEntries(Object.keys(options.properties).map((name) => [name, true]));
  assert.equal((await it.post('/generate', { inputs: 'a', options: all })).status, 200);
});

test('the page needs no script, loads nothing, and allows itself nothing else', async () => {
  const reply = await it.app.request('/docs');
  assert.match(reply.headers.get('content-type') ?? '', /^text\/html/);
  assert.equal(reply.headers.get('content-security-policy'), REFERENCE_POLICY);
  assert.match(REFERENCE_POLICY, /^default-src 'none'; style-src 'sha256-[\w+/=]+'; /);
  const html = await reply.text();
  assert.doesNotMatch(html, /<script|<link|<img|<iframe|\son\w+=|https?:\/\//i);
  for (const { path } of OPERATIONS) assert.ok(html.includes(`<code>${openApiPath(path)}</code>`), path);
});

test('what descriptions hold cannot become markup', () => {
  const operation: Operation = {
    method: 'get',
    path: '/x',
    tag: '<b>',
    summary: '<script>alert(1)</script>',
    description: '"><img src=x>',
    access: 'public',
    replies: { 200: json({ description: '<i>' }, '</details>') },
  };
  const html = referencePage(openApiDocument([operation], '1'));
  assert.doesNotMatch(html, /<script|<img|<i>|<b><|id="<b>/);
});
