import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parameterSchemas } from '@gptj-cloud/decoding';
import { z } from 'zod';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { type OpenApiDocument, openApiPath } from './openapi-document.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

/** The document as the server sends it. */
async function servedDocument(): Promise<OpenApiDocument> {
  const reply = await it.app.request('/openapi.json');
  assert.equal(reply.status, 200);
  return JSON.parse(await reply.text());
}

test('describes every route of the router, and no other', async () => {
  const { paths } = await servedDocument();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = it.app.routes
    .filter(({ method, path }) => method !== 'ALL' && !path.endsWith('*'))
    .map(({ method, path }) => `${method} ${openApiPath(path)}`);
  assert.deepEqual(described.toSorted(), routes.toSorted());
});

test('has a target for every reference, and uses every operation id once', async () => {
  const { openapi, servers, paths, components } = await servedDocument();
  assert.match(openapi, /^3\.1\./);
  assert.deepEqual(
    servers.map(({ url }) => url),
    ['/'],
  );
  const targets = [...JSON.stringify(paths).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
  assert.ok(targets.length > 20);
  for (const target of targets) {
    const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(target) ?? [];
    assert.ok(name in components.schemas, target);
  }
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  assert.equal(new Set(ids).size, ids.length);
});

test('describes bodies by the schemas that validate them', async () => {
  const { paths, components } = await servedDocument();
  assert.deepEqual(paths['/v2/pipeline-tags']?.post?.requestBody?.content['application/json']?.schema, {
    $ref: '#/components/schemas/PipelineTagCreate',
  });
  const properties = Object(components.schemas.PipelineTagCreate?.properties);
  assert.ok('name' in properties && 'pipeline_id' in properties);
  assert.deepEqual(paths['/v2/runs/{id}']?.get?.parameters, [
    { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
  ]);
});

const shape = z.object({ properties: z.record(z.string(), z.unknown()) });

test('describes the errors of the compatible APIs as the server writes them', async () => {
  const { paths } = await servedDocument();
  for (const path of ['/v1/completions', '/', '/generate', '/generate_stream', '/models/{name}', '/complete']) {
    const reply = await it.app.request(path.replace('{name}', 'gpt-j-6b'), { method: 'POST' });
    assert.equal(reply.status, 401, path);
    const described = paths[path]?.post?.responses.default?.content?.['application/json']?.schema;
    assert.deepEqual(Object.keys(Object(await reply.json())), Object.keys(shape.parse(described).properties), path);
  }
});

test('describes the fields of the compatible APIs that their parsers know', async () => {
  const { paths } = await servedDocument();
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

test('describes the parameters of generate in the bodies of the APIs that take them', async () => {
  const { paths } = await servedDocument();
  const bodyOf = (path: string): unknown => paths[path]?.post?.requestBody?.content['application/json']?.schema;
  const completion = shape.parse(bodyOf('/v1/completions')).properties;
  const parameters = shape.parse(shape.parse(bodyOf('/generate')).properties.parameters).properties;
  for (const [name, schema] of Object.entries(parameterSchemas('5.18'))) {
    assert.ok(name in completion && name in parameters, name);
    if (name === 'num_beams') assert.deepEqual([completion[name], parameters[name]], [schema, schema]);
  }
});

test('describes the data of a run: a prompt and every parameter that a run takes', async () => {
  const { paths } = await servedDocument();
  const body = shape.parse(paths['/v2/runs']?.post?.requestBody?.content['application/json']?.schema);
  assert.ok('pipeline_id' in body.properties && 'async_run' in body.properties);
  const { prefixItems } = z.object({ prefixItems: z.tuple([z.unknown(), shape]) }).parse(body.properties.data);
  const described = Object.keys(prefixItems[1].properties);
  for (const name of [...Object.keys(parameterSchemas('5.18')), 'response_length', 'trim_stop']) {
    // The pipeline refuses it, as its source did.
    if (['attention_mask', 'output_attentions', 'output_hidden_states'].includes(name)) continue;
    assert.ok(described.includes(name), name);
  }
});
