import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it, mock } from 'node:test';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { describeEngine } from '../engine.contract.ts';
import type { Engine, EngineInfo } from '../engine.ts';
import { deferred } from '../process/deferred.ts';
import { spawnEngine } from '../process/spawn-engine.ts';
import { makeTinyAdapters } from '../tiny-adapters.fixture.ts';
import { greedyCases, makeTinyModel } from '../tiny-model.fixture.ts';
import type { HostedModel, HostModel } from './hosted-model.ts';
import { createModelHost, type ModelHost, type ModelHostOptions } from './model-host.ts';

const file = await makeTinyModel(128);
const { files: adapters, remove } = await makeTinyAdapters(file.path);
after(() => Promise.all([file.remove(), remove()]));
const options = { path: file.path, cacheType: 'f32', cacheCells: 512, threads: 1, adapters } as const;

const INFO: EngineInfo = {
  kind: 'kernels',
  modelName: 'scripted',
  draftModelName: null,
  quantisation: 'F32',
  config: {} as EngineInfo['config'],
  cacheCells: 512,
  backend: 'cpu',
  adapters: [],
  earlyExitLayers: null,
  loadMs: 1,
};

function spawned(name: string): HostModel {
  return { name, info: INFO, bytes: 1, open: ({ signal }) => spawnEngine({ ...options, signal }) };
}

describeEngine(
  'the engine of a hosted model',
  async () => {
    const host = createModelHost([spawned('tiny')], { budgetBytes: Number.POSITIVE_INFINITY });
    await host.preload('tiny');
    const { engine } = host.models[0]!;
    return {
      ...engine,
      get info() {
        return engine.info;
      },
      close: () => host.close(),
    };
  },
  adapters,
);

describe('the host of several models', () => {
  let time = 0;
  /** `load a`, `close a`, in order. */
  let log: string[] = [];
  /** Errors of the next loads of a model. */
  let failures = new Map<string, Error[]>();
  /** Loads that wait until the test lets them go. */
  let held = new Map<string, Promise<void>>();
  let host: ModelHost;
  let onClose: (name: string) => Promise<void>;

  const scripted = (name: string, bytes: number): HostModel => ({
    name,
    bytes,
    info: INFO,
    async open({ onProgress }) {
      log.push(`load ${name}`);
      onProgress(0.5);
      await held.get(name);
      const failure = failures.get(name)?.shift();
      if (failure !== undefined) throw failure;
      return {
        info: { ...INFO, modelName: name },
        async *generate() {
          yield { type: 'started' };
        },
        async close() {
          log.push(`close ${name}`);
          await onClose(name);
        },
      } satisfies Engine;
    },
  });
  const open = (sizes: Readonly<Record<string, number>>, budgetBytes: number, more: Partial<ModelHostOptions> = {}) => {
    const models = Object.entries(sizes).map(([name, bytes]) => scripted(name, bytes));
    host = createModelHost(models, { budgetBytes, turnMs: 1000, retryMs: 1000, now: () => time, ...more });
  };
  const model = (name: string): HostedModel => host.models.find((each) => each.name === name)!;
  const use = async (name: string): Promise<void> => {
    for await (const _ of model(name).engine.generate({ prompt: [1], config: {} as never }));
    await settled();
  };
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  /** Advance the time, timers included. */
  const pass = async (ms: number): Promise<void> => {
    time += ms;
    mock.timers.tick(ms);
    await settled();
  };
  const states = (): string => host.models.map(({ name, state }) => `${name} ${state}`).join(', ');

  beforeEach(() => {
    time = 0;
    log = [];
    failures = new Map();
    held = new Map();
    onClose = async () => {};
    mock.timers.enable({ apis: ['setTimeout'] });
  });
  afterEach(() => mock.timers.reset());

  it('loads a model when it is first used, and keeps it', async () => {
    open({ a: 1, b: 1 }, 10);
    assert.equal(states(), 'a unloaded, b unloaded');
    await use('b');
    await use('b');
    assert.deepEqual([log, states()], [['load b'], 'a unloaded, b loaded']);
  });

  it('loads a model once for all who wait for it, and reports the progress', async () => {
    const gate = deferred<void>();
    held.set('a', gate.promise);
    open({ a: 1 }, 10);
    const uses = Promise.all([use('a'), use('a')]);
    await settled();
    const { state, progress, waiting, running } = model('a').status();
    assert.deepEqual([state, progress, waiting, running], ['loading', 0.5, 2, 0]);
    gate.resolve();
    await uses;
    assert.deepEqual(log, ['load a']);
  });

  it('evicts the idle model that was used least recently, and no other', async () => {
    open({ a: 4, b: 4, c: 4 }, 8);
    await use('a');
    await pass(1);
    await use('b');
    await pass(1);
    await use('a');
    await use('c');
    assert.deepEqual([log, states()], [['load a', 'load b', 'close b', 'load c'], 'a loaded, b evicted, c loaded']);
  });

  it('evicts nothing where that does not give enough memory', async () => {
    open({ a: 4, b: 4, c: 8 }, 8);
    const lease = await model('a').lease();
    await use('b');
    const waiting = use('c');
    await settled();
    assert.deepEqual([log, states()], [['load a', 'load b'], 'a loaded, b loaded, c unloaded']);
    lease.release();
    await waiting;
    assert.equal(states(), 'a evicted, b evicted, c loaded');
  });

  it('never closes a model in use, which yields after its turn', async () => {
    open({ a: 8, b: 8 }, 8);
    const lease = await model('a').lease();
    const waiting = use('b');
    await pass(999);
    const another = await model('a').lease();
    another.release();
    await pass(1);
    // Its turn is over: the next caller waits, and the lease is still good.
    const late = use('a');
    await pass(60_000);
    assert.deepEqual([log, model('a').status().running, model('a').status().waiting], [['load a'], 1, 1]);
    lease.release();
    await waiting;
    await late;
    assert.deepEqual(log, ['load a', 'close a', 'load b', 'close b', 'load a']);
  });

  it('keeps a model that is held for its turn, and no longer', async () => {
    open({ a: 8, b: 8 }, 8);
    await use('a');
    const letGo = model('a').hold();
    const waiting = use('b');
    await pass(999);
    assert.deepEqual(log, ['load a']);
    await pass(1);
    await waiting;
    letGo();
    assert.deepEqual(log, ['load a', 'close a', 'load b']);
  });

  it('lets a model that yields go on when the one that waited gives up', async () => {
    open({ a: 8, b: 8 }, 8);
    const lease = await model('a').lease();
    const stop = new AbortController();
    const waiting = model('b').lease({ signal: stop.signal });
    await pass(1000);
    const late = use('a');
    stop.abort();
    await assert.rejects(waiting, { code: 'aborted' });
    await late;
    lease.release();
    assert.deepEqual(log, ['load a']);
  });

  it('refuses a generation that waits longer for its model than it may', async () => {
    open({ a: 8, b: 8 }, 8);
    const lease = await model('a').lease();
    const waiting = model('b').lease({ maxMs: 500 });
    await settled();
    await Promise.all([pass(500), assert.rejects(waiting, { code: 'queue_timed_out' })]);
    lease.release();
    assert.deepEqual(log, ['load a']);
  });

  it('serves models in the order in which their callers came', async () => {
    open({ a: 8, b: 8, c: 2 }, 8);
    const lease = await model('a').lease();
    const order: string[] = [];
    const waiting = ['b', 'c'].map(async (name) => {
      time++;
      await use(name);
      order.push(name);
    });
    await settled();
    lease.release();
    await Promise.all(waiting);
    assert.deepEqual(order, ['b', 'c']);
  });

  it('fails the callers of a model that cannot be loaded, and no other, and tries again later', async () => {
    failures.set('a', [new Error('no such file'), new Error('still none')]);
    open({ a: 4, b: 4 }, 8);
    const message = 'the model a could not be loaded';
    await assert.rejects(use('a'), { code: 'model_unavailable', message });
    await use('b');
    const { state, reason } = model('a').status();
    assert.deepEqual([state, reason, model('a').isRefused], ['failed', 'no such file', true]);
    await assert.rejects(use('a'), { message });
    assert.deepEqual(log, ['load a', 'load b']);
    await pass(1000);
    assert.equal(model('a').isRefused, false);
    await assert.rejects(use('a'), { message });
    assert.equal(model('a').status().reason, 'still none');
    await pass(1000);
    await use('a');
    assert.deepEqual(log.slice(2), ['load a', 'load a']);
  });

  it('refuses a model that is larger than the budget, without evicting another', async () => {
    open({ a: 4, b: 20e9 }, 8e9);
    await use('a');
    await assert.rejects(use('b'), { code: 'model_unavailable' });
    assert.match(model('b').status().reason ?? '', /takes 20\.0 GB.*may take 8\.0 GB/);
    assert.deepEqual([log, states()], [['load a'], 'a loaded, b failed']);
  });

  it('serves a model that is added, within the budget of all', async () => {
    open({ a: 4 }, 8);
    await use('a');
    host.add(scripted('b', 8));
    await pass(1);
    await use('b');
    assert.deepEqual([log, states()], [['load a', 'close a', 'load b'], 'a evicted, b loaded']);
    assert.throws(() => host.add(scripted('b', 1)), { code: 'invalid_config' });
  });

  it('closes a model that is removed after its last lease, and takes no more callers of it', async () => {
    open({ a: 4, b: 4 }, 8);
    const removed = model('a');
    const lease = await removed.lease();
    const gone = host.remove('a');
    await assert.rejects(removed.lease(), { code: 'model_unavailable' });
    assert.equal(states(), 'a loaded, b unloaded');
    lease.release();
    await gone;
    assert.deepEqual([log, states()], [['load a', 'close a'], 'b unloaded']);
    await assert.rejects(removed.lease(), { code: 'model_unavailable' });
    await Promise.all([host.remove('b'), host.remove('b'), host.remove('other')]);
    assert.equal(states(), '');
  });

  it('closes a model that is removed while it loads, and ends its callers', async () => {
    const gate = deferred<void>();
    held.set('a', gate.promise);
    open({ a: 4 }, 8);
    const waiting = assert.rejects(use('a'), { code: 'model_unavailable' });
    await settled();
    const gone = host.remove('a');
    await waiting;
    gate.resolve();
    await gone;
    assert.deepEqual(log, ['load a', 'close a']);
  });

  it('has the statistics of an idle engine for a model that is not loaded', async () => {
    open({ a: 1 }, 10);
    assert.deepEqual([(await model('a').engine.stats?.())?.active, model('a').engine.info.modelName], [0, 'scripted']);
    await use('a');
    assert.equal(model('a').engine.info.modelName, 'a');
  });

  it('waits when it closes for every engine, also where another one does not close', async () => {
    open({ a: 1, b: 1 }, 8);
    const slow = deferred<void>();
    await use('a');
    await use('b');
    onClose = async (name) => {
      if (name === 'a') throw new Error('it hangs');
      await slow.promise;
      log.push('closed b');
    };
    const closed = assert.rejects(host.close(), /it hangs/).then(() => log.push('closed'));
    await settled();
    slow.resolve();
    await closed;
    assert.deepEqual(log.slice(2), ['close a', 'close b', 'closed b', 'closed']);
  });

  it('closes every engine, and refuses those who wait', async () => {
    open({ a: 8, b: 8 }, 8);
    const lease = await model('a').lease();
    const waiting = assert.rejects(use('b'), { code: 'closed' });
    await settled();
    await Promise.all([host.close(), waiting]);
    lease.release();
    await assert.rejects(use('b'), { code: 'closed' });
    assert.deepEqual(log, ['load a', 'close a']);
  });

  it('refuses two models of one name', () => {
    const twice = [scripted('a', 1), scripted('a', 1)];
    assert.throws(() => createModelHost(twice, { budgetBytes: 1 }), { code: 'invalid_config' });
  });
});

describe('two models in processes of their own', () => {
  it('make the texts that each makes alone, side by side and after an eviction', async () => {
    const [first, second] = (await greedyCases()).slice(0, 2);
    assert.ok(first !== undefined && second !== undefined);
    const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383 };
    const generate = async (engine: Engine, { prompt }: typeof first): Promise<readonly number[] | undefined> => {
      const { config } = parseGenerateParameters(
        { max_new_tokens: 64, eos_token_id: -1 },
        { ...context, promptLength: prompt.length },
      );
      for await (const event of engine.generate({ prompt, config }))
        if (event.type === 'finished') return event.outcome.sequences[0]?.tokens;
      return undefined;
    };
    for (const budgetBytes of [2, 1]) {
      const host = createModelHost([spawned('a'), spawned('b')], { budgetBytes, turnMs: 1 });
      try {
        const [a, b] = host.models.map(({ engine }) => engine);
        const texts: unknown = await Promise.all([generate(a!, first), generate(b!, second), generate(b!, first)]);
        assert.deepEqual(texts, [first.tokens, second.tokens, first.tokens]);
        assert.equal(host.models.filter(({ state }) => state === 'loaded').length, budgetBytes);
      } finally {
        await host.close();
      }
    }
  });

  it('report the error of a file that is gone', async () => {
    const gone: HostModel = { ...spawned('gone'), open: () => spawnEngine({ ...options, path: '/nowhere.gguf' }) };
    const host = createModelHost([gone], { budgetBytes: 1 });
    await assert.rejects(host.preload('gone'), (error) => /nowhere/.test(String(Reflect.get(Object(error), 'cause'))));
    await host.close();
  });
});
