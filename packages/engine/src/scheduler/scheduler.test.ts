import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type GenerateOutcome, generate, parseGenerateParameters, type Strategy } from '@gptj-cloud/decoding';
import type { LanguageModel } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import { openModel } from '../open-model.ts';
import { makeTinyModel, type TinyModelFile } from '../tiny-model.fixture.ts';
import { Mutex } from './mutex.ts';
import { Scheduler } from './scheduler.ts';

let file: TinyModelFile;
let model: LanguageModel;
let scheduler: Scheduler;
let now = 0;
/** Number of evaluations, and the largest number of steps in one. */
let evaluations = 0;
let widest = 0;

before(async () => {
  file = await makeTinyModel(128);
  model = (await openModel({ path: file.path, kind: 'reference', cacheCells: 256 })).model;
});
after(async () => {
  await model.close();
  await file.remove();
});
beforeEach(() => {
  now = 0;
  evaluations = 0;
  widest = 0;
  scheduler = new Scheduler({ model: counted(model), strategy, now: () => now, mutex: new Mutex() });
});
afterEach(async () => {
  await scheduler.close();
  assert.equal(model.freeCells, 256, 'cells were lost');
});

/** The model, with its evaluations counted. */
function counted(inner: LanguageModel): LanguageModel {
  return new Proxy(inner, {
    get(target, name) {
      if (name === 'evaluate') {
        return (...args: Parameters<LanguageModel['evaluate']>) => {
          evaluations++;
          widest = Math.max(widest, args[0].length);
          return target.evaluate(...args);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function strategy({ prompt, config }: GenerationRequest): Strategy<GenerateOutcome> {
  return generate({ prompt, config }, { clock: () => now });
}

function request(
  prompt: readonly number[],
  parameters: Record<string, unknown>,
  priority = 0,
  more: Partial<GenerationRequest> = {},
): GenerationRequest {
  const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383, promptLength: prompt.length };
  return {
    prompt,
    config: parseGenerateParameters({ eos_token_id: -1, ...parameters }, context).config,
    priority,
    ...more,
  };
}

interface Submitted {
  readonly events: GenerationEvent[];
  readonly ended: Promise<'finished' | Error>;
  readonly cancel: () => void;
}

function submit(generation: GenerationRequest, onEvent: (event: GenerationEvent) => void = () => {}): Submitted {
  const events: GenerationEvent[] = [];
  let end: (how: 'finished' | Error) => void = () => {};
  const ended = new Promise<'finished' | Error>((resolve) => {
    end = resolve;
  });
  const cancel = scheduler.submit(generation, {
    event(event) {
      events.push(event);
      onEvent(event);
      if (event.type === 'finished') end('finished');
    },
    failed: end,
  });
  return { events, ended, cancel };
}

test('evaluates the decoding steps of several generations in one batch', async () => {
  const submitted = [1, 2, 3, 4].map((first) => submit(request([first], { max_new_tokens: 8 })));
  await Promise.all(submitted.map(({ ended }) => ended));
  assert.equal(widest, 4);
  assert.equal(evaluations, 8);
});

test('shares the cells of a prompt among its beams and returned sequences', async () => {
  const prompt = Array.from({ length: 60 }, (_, i) => i);
  // Four sequences of 100 tokens would need 400 cells; sharing the prompt they fit 256.
  const { ended } = submit(request(prompt, { num_beams: 4, max_new_tokens: 40 }));
  assert.equal(await ended, 'finished');
});

test('admits a generation when its reservation fits, by priority, then by arrival', async () => {
  const order: string[] = [];
  const start = (name: string, priority: number): Submitted =>
    submit(request([1], { max_new_tokens: 120 }, priority), ({ type }) => {
      if (type === 'started') order.push(name);
    });
  const all = [start('first', 0), start('second', 0), start('low', 0), start('high', 5)];
  await Promise.all(all.map(({ ended }) => ended));
  assert.deepEqual(order, ['high', 'first', 'second', 'low']);
});

test('raises the priority of waiting generations', async () => {
  const order: string[] = [];
  const start = (name: string, priority: number): Submitted =>
    submit(request([2], { max_new_tokens: 126 }, priority), ({ type }) => {
      if (type === 'started') order.push(name);
    });
  const running = [start('a', 9), start('b', 9)];
  const old = start('old', 0);
  await running[0]?.ended;
  now += 100_000;
  const young = start('young', 5);
  await Promise.all([...running, old, young].map(({ ended }) => ended));
  assert.deepEqual(order.slice(2), ['old', 'young']);
});

test('ends a cancelled generation with aborted after at most one more evaluation', async () => {
  const submitted = submit(request([3], { max_new_tokens: 100 }), (event) => {
    if (event.type === 'tokens') submitted.cancel();
  });
  const error = await submitted.ended;
  assert.ok(error instanceof Error && 'code' in error && error.code === 'aborted');
  const tokens = submitted.events.filter(({ type }) => type === 'tokens').length;
  assert.equal(tokens, 1);
});

test('continues to decode other generations while a long prompt is computed', async () => {
  let tokensWhilePrompt = 0;
  let promptDone = false;
  const stream = submit(request([4], { max_new_tokens: 100 }), ({ type }) => {
    if (type === 'tokens' && !promptDone) tokensWhilePrompt++;
  });
  // Wait for the stream's first token, then let a prompt of 120 tokens in: it takes more than one evaluation.
  while (stream.events.length < 3) await new Promise((resolve) => setImmediate(resolve));
  const before = tokensWhilePrompt;
  const prompt = submit(
    request(
      Array.from({ length: 120 }, (_, i) => 200 + i),
      { max_new_tokens: 1 },
    ),
    ({ type }) => {
      if (type === 'tokens') promptDone = true;
    },
  );
  await Promise.all([stream.ended, prompt.ended]);
  assert.ok(tokensWhilePrompt > before + 1, `${tokensWhilePrompt - before} tokens came while the prompt was computed`);
});

test('ends one generation when its strategy throws, and no other', async () => {
  const bad = submit(request([5], { max_new_tokens: 20, suppress_tokens: Array.from({ length: 384 }, (_, i) => i) }));
  const good = submit(request([6], { max_new_tokens: 20 }));
  assert.ok((await bad.ended) instanceof Error);
  assert.equal(await good.ended, 'finished');
});

test('cancels every generation on close and then refuses with closed', async () => {
  const submitted = [7, 8, 9].map((first) => submit(request([first], { max_new_tokens: 120 })));
  await scheduler.close();
  for (const { ended } of submitted) assert.ok((await ended) instanceof Error);
  assert.throws(() => submit(request([1], { max_new_tokens: 1 })), { code: 'closed' });
});

test('ends a generation that is computed, or waits, for longer than its request allows', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const long = submit(request([1], { max_new_tokens: 120 }, 0, { maxComputeMs: 1_000 }), (event) => {
    if (event.type === 'tokens') t.mock.timers.tick(100);
  });
  const beside = submit(request([2], { max_new_tokens: 120 }));
  const waiting = submit(request([3], { max_new_tokens: 120 }, 0, { maxQueueMs: 500 }));
  const endOf = async ({ ended }: Submitted): Promise<unknown> => {
    const end = await ended;
    return end instanceof Error && 'code' in end ? end.code : end;
  };
  assert.deepEqual(await Promise.all([long, beside, waiting].map(endOf)), [
    'generation_timed_out',
    'finished',
    'queue_timed_out',
  ]);
  assert.equal(long.events.filter(({ type }) => type === 'tokens').length, 10);
  assert.deepEqual(waiting.events, []);
});
