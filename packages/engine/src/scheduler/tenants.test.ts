import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type GenerateOutcome, generate, parseGenerateParameters, type Strategy } from '@gptj-cloud/decoding';
import type { LanguageModel } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import { openModel } from '../open-model.ts';
import { makeTinyModel, type TinyModelFile } from '../tiny-model.fixture.ts';
import { FairShare } from './fair-share.ts';
import { Mutex } from './mutex.ts';
import { Scheduler } from './scheduler.ts';

let file: TinyModelFile;
let model: LanguageModel;
/** Milliseconds of a clock that evaluations and steps move. */
let now = 0;
/** Tokens of each evaluation. */
let batches: number[] = [];

before(async () => {
  file = await makeTinyModel(128);
  model = (await openModel({ path: file.path, kind: 'reference', cacheCells: 512 })).model;
});
after(async () => {
  await model.close();
  await file.remove();
});
beforeEach(() => {
  now = 0;
  batches = [];
});

/** The model; an evaluation takes 4 ms and 1 ms for each token. */
function timed(inner: LanguageModel): LanguageModel {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'evaluate') return typeof value === 'function' ? value.bind(target) : value;
      return async (...args: Parameters<LanguageModel['evaluate']>) => {
        const results = await target.evaluate(...args);
        const count = args[0].reduce((sum, { tokens }) => sum + tokens.length, 0);
        now += 4 + count;
        batches.push(count);
        return results;
      };
    },
  });
}

/** The strategy of a request; each of its steps takes 2 ms a beam. */
function* timedStrategy({ prompt, config }: GenerationRequest): Strategy<GenerateOutcome> {
  const inner = generate({ prompt, config }, { clock: () => now });
  let step = inner.next();
  while (!step.done) {
    const results = yield step.value;
    now += 2 * config.numBeams;
    step = inner.next(results);
  }
  return step.value;
}

function open(shares = new FairShare(), isolated = false): Scheduler {
  return new Scheduler({
    model: timed(model),
    strategy: timedStrategy,
    now: () => now,
    mutex: new Mutex(),
    shares,
    isolated,
  });
}

function request(tenant: string, prompt: readonly number[], parameters: Record<string, unknown>): GenerationRequest {
  const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383, promptLength: prompt.length };
  return { tenant, prompt, config: parseGenerateParameters({ eos_token_id: -1, ...parameters }, context).config };
}

const small = request('small', [7], { max_new_tokens: 16 });
const large = request('large', [1], { num_beams: 16, max_new_tokens: 24 });

interface Ended {
  readonly tookMs: number;
}

function run(
  scheduler: Scheduler,
  asked: GenerationRequest,
  onEvent = (_: GenerationEvent): void => {},
): Promise<Ended> {
  const startedAt = now;
  return new Promise((resolve, reject) => {
    scheduler.submit(asked, {
      event(event) {
        onEvent(event);
        if (event.type === 'finished') resolve({ tookMs: now - startedAt });
      },
      failed: reject,
    });
  });
}

test('a short generation takes less than three times as long beside a search of another tenant as alone', async () => {
  const scheduler = open();
  const alone = await run(scheduler, small);
  let steps = 0;
  let arrived = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const search = run(scheduler, large, ({ type }) => {
    if (type === 'computed' && ++steps === 3) arrived();
  });
  await arrival;
  const took: number[] = [];
  for (let i = 0; i < 3; i++) took.push((await run(scheduler, small)).tookMs);
  assert.ok(Math.max(...took) < 3 * alone.tookMs, `${took} ms, alone ${alone.tookMs} ms`);
  await search;
  await scheduler.close();
});

test('a search of another tenant goes on beside short generations that follow each other', async () => {
  const scheduler = open();
  const asked = request('large', [1], { num_beams: 8, max_new_tokens: 24 });
  let searching = true;
  const search = run(scheduler, asked).then((ended) => {
    searching = false;
    return ended;
  });
  let served = 0;
  while (searching) {
    await run(scheduler, small);
    served++;
  }
  const alone = await run(scheduler, asked);
  const { tookMs } = await search;
  assert.ok(tookMs < 4 * alone.tookMs, `${tookMs} ms, alone ${alone.tookMs} ms`);
  assert.ok(served > 5, `${served} were served beside it`);
  await scheduler.close();
});

test('a long prompt of another tenant does not hold up a short generation', async () => {
  const scheduler = open();
  const alone = await run(scheduler, small);
  const prompts = [20, 40, 60].map((seed) =>
    run(
      scheduler,
      request(
        'large',
        Array.from({ length: 120 }, (_, i) => (seed + i) % 380),
        { max_new_tokens: 2 },
      ),
    ),
  );
  const beside = await run(scheduler, { ...small, tenant: 'new' });
  assert.ok(beside.tookMs < 3 * alone.tookMs, `${beside.tookMs} ms, alone ${alone.tookMs} ms`);
  await Promise.all(prompts);
  await scheduler.close();
});

test('prompts of another tenant make the evaluations of a short generation at most half as long again', async () => {
  const scheduler = open();
  const prompt = (seed: number): number[] => Array.from({ length: 120 }, (_, i) => (seed + i) % 380);
  // What a step and a token of a prompt take is measured.
  await run(scheduler, small);
  await run(scheduler, request('large', prompt(200), { max_new_tokens: 1 }));
  const prompts = [20, 40, 60].map((seed) => run(scheduler, request('large', prompt(seed), { max_new_tokens: 2 })));
  let from = 0;
  await run(scheduler, { ...small, tenant: 'new' }, ({ type }) => {
    if (type === 'started') from = batches.length;
  });
  const beside = batches.slice(from, from + 16);
  const addedMs = beside.reduce((sum, tokens) => sum + tokens - 1, 0);
  // An evaluation of one token takes 5 ms. One may be longer before the others make up for it.
  assert.ok(addedMs > 0 && addedMs <= (16 * 5) / 2 + 5, `${beside}`);
  await Promise.all(prompts);
  await scheduler.close();
});

test('many generations of one token of another tenant do not hold up a short generation', async () => {
  const scheduler = open();
  const alone = await run(scheduler, small);
  const took: number[] = [];
  const brief = { num_beams: 3, max_new_tokens: 1 };
  const others = Array.from({ length: 400 }, () => run(scheduler, request('large', [1], brief)));
  await others[0];
  for (let i = 0; i < 3; i++) took.push((await run(scheduler, small)).tookMs);
  const [, median = 0] = took.toSorted((a, b) => a - b);
  assert.ok(median < 3 * alone.tookMs, `${took} ms, alone ${alone.tookMs} ms`);
  await Promise.all(others);
  await scheduler.close();
});

test('a prompt is evaluated in short parts while a tenant that has just left may be back', async () => {
  const shares = new FairShare();
  const scheduler = open(shares);
  shares.charge('large', 10_000, 1);
  await run(
    scheduler,
    request(
      'large',
      Array.from({ length: 64 }, (_, at) => at),
      { max_new_tokens: 1 },
    ),
  );
  const prompt = Array.from({ length: 120 }, (_, at) => at);
  const brief = request('small', [7], { max_new_tokens: 2 });
  const prompts = [200, 201].map((from) =>
    run(scheduler, request('large', [from, ...prompt.slice(1)], { max_new_tokens: 2 })),
  );
  await run(scheduler, brief);
  const seen = batches.length;
  await Promise.all(prompts);
  assert.ok(batches[seen]! <= 30, `${batches}`);
  await scheduler.close();
});

test('a short generation does not wait for the end of large ones that hold all the cache they may', async () => {
  const scheduler = open();
  const brief = { ...request('owner', [7], { max_new_tokens: 8 }), priority: 20 };
  const alone = await run(scheduler, brief);
  const ended: string[] = [];
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const searches = ['a', 'b'].map((tenant, at) =>
    // Half of the cache each.
    run(scheduler, request(tenant, [1 + at], { num_beams: 17, max_new_tokens: 14 }), ({ type }) => {
      if (tenant === 'a' && type === 'computed') begin();
    }).then(() => ended.push(tenant)),
  );
  await begun;
  const beside = await run(scheduler, brief);
  ended.push('owner');
  await Promise.all(searches);
  assert.equal(ended[0], 'owner');
  assert.ok(beside.tookMs < 5 * alone.tookMs, `${beside.tookMs} ms, alone ${alone.tookMs} ms`);
  await scheduler.close();
});

test('one that arrives during a costly step does not wait for those of other generations after it', async () => {
  const scheduler = open();
  const order: string[] = [];
  const searches = [1, 2, 3].map((token) =>
    run(scheduler, request('large', [token], { num_beams: 26, max_new_tokens: 3 }), ({ type }) => {
      if (type !== 'computed') return;
      order.push('step');
      // In the second round of steps, which take 52 ms each.
      if (order.length === 4) void run(scheduler, small).then(() => order.push('small'));
    }),
  );
  await Promise.all(searches);
  await scheduler.close();
  assert.deepEqual(order, ['step', 'step', 'step', 'step', 'small', 'step', 'step']);
});

test('schedulers that share accounts let the tenant go first that has received least', async () => {
  const shares = new FairShare();
  const shared = open(shares);
  const isolated = open(shares, true);
  const order: string[] = [];
  shares.charge('large', 10_000, 1);
  shares.enter('small');
  const waits = run(isolated, request('large', [1], { max_new_tokens: 4 })).then(() => order.push('large'));
  await run(shared, small).then(() => order.push('small'));
  shares.leave('small');
  await waits;
  assert.deepEqual(order, ['small', 'large']);
  await Promise.all([shared.close(), isolated.close()]);
});

test('generations of the only tenant that begin together decode together', async () => {
  const decodingBatches = async (other?: string): Promise<readonly number[]> => {
    const scheduler = open();
    const prompt = (first: number): readonly number[] => Array.from({ length: 40 }, (_, i) => first + i);
    const beside: Promise<Ended>[] = [];
    batches = [];
    const first = run(scheduler, request('one', prompt(0), { max_new_tokens: 8 }), ({ type }) => {
      if (type !== 'started') return;
      // They arrive while the first prompt is evaluated.
      for (const at of [50, 100, 150]) {
        beside.push(run(scheduler, request(other ?? 'one', prompt(at), { max_new_tokens: 8 })));
      }
    });
    await first;
    await Promise.all(beside);
    await scheduler.close();
    return batches.filter((tokens) => tokens <= 4);
  };
  // The last token of each generation is not evaluated.
  assert.deepEqual(await decodingBatches(), [4, 4, 4, 4, 4, 4, 4]);
  assert.notDeepEqual(await decodingBatches('two'), [4, 4, 4, 4, 4, 4, 4], 'the first goes on beside other tenants');
});
