import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type GenerateOutcome, generate, parseGenerateParameters, type Strategy } from '@gptj-cloud/decoding';
import type { LanguageModel, TokenId } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import { openModel } from '../open-model.ts';
import type { Prefix } from '../prefix-store/prefix-file.ts';
import type { PrefixStore } from '../prefix-store/prefix-store.ts';
import { makeTinyModel, type TinyModelFile } from '../tiny-model.fixture.ts';
import { Mutex } from './mutex.ts';
import { Scheduler } from './scheduler.ts';

type Finished = Extract<GenerationEvent, { type: 'finished' }>;

/** A prefix store in memory that records its calls. */
interface MemoryStore extends PrefixStore {
  readonly held: Map<string, { readonly tokens: readonly TokenId[]; bytes: Uint8Array }>;
  readonly calls: string[];
  /** Every write waits for it. */
  gate: Promise<void>;
  /** Thrown by the next call. */
  failure: Error | null;
}

let file: TinyModelFile;
let store: MemoryStore;
let warnings: string[];
const open: { close(): Promise<void> }[] = [];
before(async () => {
  file = await makeTinyModel(256);
});
after(() => file.remove());
beforeEach(() => {
  store = memoryStore();
  warnings = [];
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

function memoryStore(): MemoryStore {
  const held: MemoryStore['held'] = new Map();
  const calls: string[] = [];
  const called = (name: string, { tokens }: Prefix): string => {
    calls.push(`${name} ${tokens.length}`);
    const { failure } = it;
    if (failure !== null) throw failure;
    return tokens.join();
  };
  const it: MemoryStore = {
    held,
    calls,
    gate: Promise.resolve(),
    failure: null,
    list: async () => [...held.values()].map(({ tokens }) => ({ tokens, lora: [] })).reverse(),
    read: async (prefix) => held.get(called('read', prefix))?.bytes ?? null,
    async write(prefix, bytes) {
      await it.gate;
      held.set(called('write', prefix), { tokens: prefix.tokens, bytes });
      return true;
    },
    touch: async (prefix) => held.has(called('touch', prefix)),
    async remove(prefix) {
      held.delete(called('remove', prefix));
    },
  };
  return it;
}

/** A model and a scheduler that persists prefixes in the store, as a process would have them. */
async function start(now = (): number => 0): Promise<{ readonly scheduler: Scheduler; readonly model: LanguageModel }> {
  const { model } = await openModel({ path: file.path, kind: 'reference', cacheCells: 512 });
  const strategy = ({ prompt, config }: GenerationRequest): Strategy<GenerateOutcome> =>
    generate({ prompt, config }, { clock: now });
  const onWarning = (message: string): void => void warnings.push(message);
  const scheduler = new Scheduler({ model, strategy, now, mutex: new Mutex(), prefixStore: store, onWarning });
  open.push({ close: () => model.close() }, { close: () => scheduler.close() });
  return { scheduler, model };
}

const tokens = (count: number, first = 0): TokenId[] => Array.from({ length: count }, (_, i) => (first + 3 * i) % 380);

function run({ scheduler }: { readonly scheduler: Scheduler }, prompt: readonly TokenId[]): Promise<Finished> {
  const context = { vocabSize: 384, contextLength: 256, eosTokenId: 383, promptLength: prompt.length };
  const { config } = parseGenerateParameters({ max_new_tokens: 4, eos_token_id: -1 }, context);
  return new Promise((resolve, reject) => {
    const event = (event: GenerationEvent): void => {
      if (event.type === 'finished') resolve(event);
    };
    scheduler.submit({ prompt, config }, { event, failed: reject });
  });
}

/** Close a process, which writes its queued prefixes. */
async function stop(process: { readonly scheduler: Scheduler }): Promise<void> {
  await process.scheduler.close();
}

test('restores a reused prefix in the next process, which generates the same tokens', async () => {
  const first = await start();
  const computed = await run(first, [...tokens(80), 1]);
  assert.equal((await run(first, [...tokens(80), 2])).usage.cachedTokens, 80);
  await stop(first);
  assert.deepEqual(store.calls, ['write 80']);
  const next = await start();
  const again = await run(next, [...tokens(80), 1]);
  assert.equal(again.usage.cachedTokens, 80);
  assert.deepEqual(again.outcome.sequences[0]?.tokens, computed.outcome.sequences[0]?.tokens);
  assert.deepEqual(store.calls, ['write 80', 'read 80']);
  assert.deepEqual(warnings, []);
});

test('does not persist a prefix that was used once or is short', async () => {
  const process = await start();
  await run(process, [...tokens(80), 1]);
  await run(process, [...tokens(60, 9), 1]);
  await run(process, [...tokens(60, 9), 2]);
  await stop(process);
  assert.deepEqual(store.calls, []);
});

test('persists one of several prefixes of nearly the same length, and replaces it by a much longer one', async () => {
  const process = await start();
  const long = tokens(180);
  for (const [length, last] of [
    [82, 381],
    [82, 382],
    [80, 381],
    [90, 381],
    [170, 381],
    [170, 382],
  ] as const) {
    await run(process, [...long.slice(0, length), last]);
  }
  await stop(process);
  assert.deepEqual(store.calls, ['write 82', 'write 170', 'remove 82']);
  assert.deepEqual(
    [...store.held.values()].map((stored) => stored.tokens.length),
    [170],
  );
});

test('records uses at most once a minute, and writes an evicted prefix again', async () => {
  let now = 0;
  const process = await start(() => now);
  const again = async (last: number): Promise<void> => {
    now += 61_000;
    await run(process, [...tokens(80), last]);
  };
  await again(1);
  await again(2);
  await run(process, [...tokens(80), 3]);
  await again(4);
  await run(process, [...tokens(80), 5]);
  store.held.clear();
  await again(6);
  await again(7);
  await stop(process);
  assert.deepEqual(store.calls, ['write 80', 'touch 80', 'touch 80', 'write 80']);
});

test('serves generations while a prefix is written, and writes one prefix at a time', async () => {
  let openGate = (): void => {};
  store.gate = new Promise((resolve) => {
    openGate = resolve;
  });
  const process = await start();
  for (const first of [0, 100]) {
    for (const last of [1, 2, 3]) await run(process, [...tokens(80, first), last]);
  }
  assert.deepEqual(store.calls, []);
  openGate();
  await stop(process);
  assert.deepEqual(store.calls, ['write 80', 'write 80']);
  assert.equal(store.held.size, 2);
});

test('warns once when the store fails, and generations continue', async () => {
  store.failure = new Error('no space left');
  const process = await start();
  for (const last of [1, 2, 3]) await run(process, [...tokens(80), last]);
  for (const last of [1, 2, 3]) await run(process, [...tokens(90, 50), last]);
  await stop(process);
  assert.deepEqual(store.calls, ['write 80']);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /could not be stored.*no space left/);
});

test('warns of a stored prefix that does not fit the model, removes it and computes it again', async () => {
  store.held.set(tokens(80).join(), { tokens: tokens(80), bytes: new Uint8Array(100) });
  const process = await start();
  assert.equal((await run(process, [...tokens(80), 1])).usage.cachedTokens, 0);
  assert.deepEqual([store.calls, store.held.size], [['read 80', 'remove 80'], 0]);
  assert.match(warnings.join(), /could not be restored.*expected \d+ bytes/);
});

test('restores prefixes until the cache is full, the most recently used first', async () => {
  const first = await start();
  for (const beginning of [0, 40, 100, 150]) {
    for (const last of [1, 2]) await run(first, [...tokens(200, beginning), last]);
  }
  await stop(first);
  assert.equal(store.held.size, 4);
  store.calls.length = 0;
  const { model, scheduler } = await start();
  await run({ scheduler }, [5]);
  assert.deepEqual(store.calls, ['read 200', 'read 200']);
  assert.equal(model.freeCells, 512 - 400);
  assert.equal((await run({ scheduler }, [...tokens(200, 150), 3])).usage.cachedTokens, 200);
});
