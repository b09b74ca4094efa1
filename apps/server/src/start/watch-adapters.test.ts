/** Adapters that are added and removed while a server runs, on real files with engines that are processes. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { convertCheckpoint, openGgufWeights } from '@gptj-cloud/checkpoint';
import { adaptersFolder, addAdapter, removeAdapter } from '@gptj-cloud/model-store';
import { type RunningServer, serve } from '../main.ts';
import { tryLockFolder } from '../store/try-lock-folder.ts';
import { createFakeEngine } from '../testing/fake-model.ts';
import { writeTinyFolder } from '../testing/tiny-model.ts';
import { until } from '../testing/until.ts';
import { watchAdapters } from './watch-adapters.ts';

const TOKEN = 'test-token-0123456789';

let folder: string;
let model: string;
let dataDir: string;
let server: RunningServer | null = null;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-watch-adapters-'));
  await writeTinyFolder(folder);
  model = join(folder, 'tiny.gguf');
  await convertCheckpoint({ source: folder, target: model, type: 'f32' });
  dataDir = join(folder, 'data');
  for (const [name, factor] of [
    ['loud', 4],
    ['louder', 40],
  ] as const) {
    await writeAdapter(join(folder, name), factor);
  }
});
afterEach(async () => {
  await server?.close();
  server = null;
});
after(() => rm(folder, { recursive: true }));

/** An adapter of rank 1 of the first layer's MLP, as PEFT writes it. */
async function writeAdapter(target: string, factor: number): Promise<void> {
  const weights = await openGgufWeights(model);
  await weights.close();
  const { embeddingSize: width, feedForwardSize: inner } = weights.config;
  const module = 'base_model.model.transformer.h.0.mlp.fc_out';
  const values = Float32Array.from({ length: inner + width }, (_, i) => Math.sin(i) * (i < inner ? 1 : factor));
  const header = Buffer.from(
    JSON.stringify({
      [`${module}.lora_A.weight`]: { dtype: 'F32', shape: [1, inner], data_offsets: [0, 4 * inner] },
      [`${module}.lora_B.weight`]: { dtype: 'F32', shape: [width, 1], data_offsets: [4 * inner, 4 * (inner + width)] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await mkdir(target);
  await writeFile(
    join(target, 'adapter_model.safetensors'),
    Buffer.concat([length, header, Buffer.from(values.buffer)]),
  );
  await writeFile(join(target, 'adapter_config.json'), JSON.stringify({ peft_type: 'LORA', r: 1, lora_alpha: 1 }));
}

async function add(source: string, name: string): Promise<void> {
  const { config, close } = await openGgufWeights(model);
  await close();
  const signal = AbortSignal.timeout(60_000);
  const options = { folder: adaptersFolder(dataDir), tryLock: tryLockFolder, signal };
  await addAdapter({ ...options, source: join(folder, source), name, config });
}

async function remove(name: string): Promise<void> {
  await removeAdapter(adaptersFolder(dataDir), name, tryLockFolder, AbortSignal.timeout(60_000));
}

async function start(environment: Readonly<Record<string, string>>): Promise<void> {
  server = await serve(
    { port: 0, apiToken: TOKEN, dataDir },
    {
      environment,
      print: () => {},
      log: () => {},
      terminal: { print: true, log: false, colours: false },
    },
  );
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(`${server?.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function names(): Promise<readonly string[]> {
  const { data } = (await (await ask('GET', '/v1/models')).json()) as { readonly data: readonly { id: string }[] };
  return data.map(({ id }) => id);
}

/** The status, and the text or the error. */
async function complete(chosen: string, more: object = {}): Promise<readonly [number, string]> {
  const body = { model: chosen, prompt: 'a b c d e f g h i j k l', max_tokens: 12, temperature: 0, ...more };
  const reply = await ask('POST', '/v1/completions', body);
  const text = await reply.text();
  return [reply.status, reply.status === 200 ? JSON.parse(text).choices[0].text : text];
}

const lists = (name: string, expected: boolean): Promise<void> =>
  until(async () => (await names()).includes(name) === expected);

test('an adapter is chosen, replaced and removed while the server of one model runs', async () => {
  await start({ GPTJ_MODEL: model });
  const [first = ''] = await names();
  const [, plain] = await complete(first);
  assert.equal((await complete(`${first}:loud`))[0], 404);
  await add('loud', 'loud');
  await lists(`${first}:loud`, true);
  const [status, loud] = await complete(`${first}:loud`);
  assert.equal(status, 200, loud);
  assert.notEqual(loud, plain);
  assert.deepEqual(await complete(first, { lora: [{ name: 'loud' }] }), [200, loud]);
  const generated = await ask('POST', '/generate', {
    inputs: 'a b c d e f g h i j k l',
    parameters: { adapter_id: 'loud', max_new_tokens: 12, do_sample: false },
  });
  assert.equal(generated.status, 200);
  assert.equal(((await generated.json()) as { readonly generated_text: string }).generated_text, loud);

  await remove('loud');
  await lists(`${first}:loud`, false);
  const refused = await complete(first, { lora: [{ name: 'loud' }] });
  assert.equal(refused[0], 400);
  assert.match(refused[1], /lora: .*loud/);
  assert.deepEqual(await complete(first), [200, plain]);

  await add('louder', 'loud');
  await lists(`${first}:loud`, true);
  const [, louder] = await complete(`${first}:loud`);
  assert.notEqual(louder, loud);
  await remove('loud');
});

test('models that are loaded on demand have it, loaded or not', async () => {
  await start({ GPTJ_MODELS: `one=${model},two=${model}`, MODEL_MEMORY_MB: '2000' });
  await add('loud', 'loud');
  await lists('two:loud', true);
  assert.ok((await names()).includes('one:loud'));
  for (const name of ['one', 'two']) {
    const [status, text] = await complete(`${name}:loud`);
    assert.equal(status, 200, text);
    assert.notEqual(text, (await complete(name))[1]);
  }
  await remove('loud');
  await lists('two:loud', false);
  assert.equal((await complete('two:loud'))[0], 404);
  assert.equal((await complete('two'))[0], 200);
});

test('an adapter that memory cannot hold is refused in figures, and served once memory holds it', async () => {
  await add('loud', 'loud');
  const given: (readonly string[])[] = [];
  const { config, close } = await openGgufWeights(model);
  await close();
  const { info } = createFakeEngine();
  const engine = {
    ...createFakeEngine(),
    info: { ...info, config },
    setAdapters: async (files: readonly { readonly name: string }[]) => void given.push(files.map(({ name }) => name)),
  };
  const warnings: string[] = [];
  let free = 10;
  const watch = watchAdapters({
    folder: adaptersFolder(dataDir),
    engines: () => [engine],
    onChange() {},
    logger: {
      debug() {},
      info() {},
      error: assert.fail,
      warn: (text, details) => void warnings.push(`${text} ${JSON.stringify(details)}`),
    },
    freeBytes: () => free,
    everyMs: 600_000,
  });
  try {
    await watch.refresh();
    await watch.refresh();
    assert.deepEqual(given, [[]]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /"adapter":"loud".*expected \d+ MB of free memory, got 0 MB/);
    free = 2 ** 30;
    await watch.refresh();
    assert.deepEqual(given, [[], ['loud']]);
    // It has it now.
    free = 10;
    await watch.refresh();
    assert.equal(given.length, 2);
  } finally {
    await watch.close();
    await remove('loud');
  }
});
