import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { PipelineCloud, type PipelineCloudOptions } from './index.ts';

const NAMES = ['PIPELINE_API_TOKEN', 'PIPELINE_API_URL'] as const;
const before = NAMES.map((name) => process.env[name]);
afterEach(() => {
  for (const [at, name] of NAMES.entries()) {
    const value = before[at];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

/** The address and the token of the first request. */
async function firstRequest(options: PipelineCloudOptions): Promise<readonly [string, string | null]> {
  let seen: readonly [string, string | null] = ['', null];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    seen = [String(input), new Headers(init?.headers).get('authorization')];
    return new Response('{}', { status: 404 });
  };
  await new PipelineCloud({ ...options, fetch }).getRun('x').catch(() => undefined);
  return seen;
}

test('token and address have their defaults in the environment, and arguments take precedence', async () => {
  process.env.PIPELINE_API_TOKEN = 'from-environment';
  process.env.PIPELINE_API_URL = 'https://gptj.example/api/';
  assert.deepEqual(await firstRequest({}), ['https://gptj.example/api/v2/runs/x', 'Bearer from-environment']);
  assert.ok(new PipelineCloud());
  const own = await firstRequest({ token: 'own', url: 'http://other:1' });
  assert.deepEqual(own, ['http://other:1/v2/runs/x', 'Bearer own']);
  process.env.PIPELINE_API_URL = '';
  assert.equal((await firstRequest({}))[0], 'http://127.0.0.1:8080/v2/runs/x');
});

test('a client without a token says what to set', () => {
  delete process.env.PIPELINE_API_TOKEN;
  const expected = { name: 'TypeError', message: /pass token, or set PIPELINE_API_TOKEN/ };
  assert.throws(() => new PipelineCloud(), expected);
  assert.throws(() => new PipelineCloud({ url: 'http://host:1' }), expected);
});

test('a token that is undefined is refused, also where the environment has one', () => {
  process.env.PIPELINE_API_TOKEN = 'from-environment';
  const unset: Readonly<Record<string, string>> = {};
  // What a program in JavaScript, or without exactOptionalPropertyTypes, passes.
  const options = { token: unset.MISSPELT_TOKEN } as PipelineCloudOptions;
  assert.throws(() => new PipelineCloud(options), /expected token to be an API token, got undefined: is the variable/);
});

test('an address of the environment, a time and a number of retries are checked with their names', () => {
  process.env.PIPELINE_API_URL = 'gptj.example';
  assert.throws(() => new PipelineCloud({ token: 't' }), /expected PIPELINE_API_URL to be an http:\/\//);
  const checked: readonly ConstructorParameters<typeof PipelineCloud>[0][] = [
    { token: 't', url: 'http://h', timeoutMs: 0 },
    { token: 't', url: 'http://h', timeoutMs: Number.NaN },
    { token: 't', url: 'http://h', maxRetries: -1 },
  ];
  for (const options of checked) assert.throws(() => new PipelineCloud(options), TypeError);
});
