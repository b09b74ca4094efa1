import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';
import { createLogger } from '../telemetry/logger.ts';
import { createDirectApp, PRINCIPAL } from '../testing/direct-app.ts';
import { createOpenAdmission } from '../testing/open-admission.ts';
import { createScriptedEngine, type Script } from '../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../testing/scripted-model.ts';
import { createGenerationService } from './generation-service.ts';

const NEVER = new Promise<void>(() => {});
const signal = new AbortController().signal;

function open(script: Script | ((promptLength: number) => Script), admit?: () => Promise<never>) {
  const engine = createScriptedEngine(({ prompt }) => (typeof script === 'function' ? script(prompt.length) : script));
  const model = byteModel(engine);
  const direct = createDirectApp({ engine, model, ...(admit === undefined ? {} : { admit }) });
  const prompts = (...texts: readonly string[]) =>
    texts.map((text) => ({
      prompt: bytesOf(text),
      config: model.readParameters({ max_new_tokens: 4 })(text.length).config,
    }));
  const generate = (texts: readonly string[], until = signal) =>
    direct.generations.generate(
      { principal: PRINCIPAL, model: model.info.modelName, prompts: prompts(...texts) },
      until,
    );
  return { ...direct, engine, generate };
}

test('settles a generation with the cost that the engine reports, over all prompts', async () => {
  const { generate, admission, engine } = open((length) => ({ sequences: [bytesOf('x'.repeat(length))] }));
  const types: string[] = [];
  for await (const event of generate(['a', 'bcd'])) {
    types.push(event.type === 'engine' ? `${event.prompt} ${event.event.type}` : event.type);
  }
  assert.equal(types[0], 'admitted');
  assert.deepEqual(
    types.filter((type) => type.endsWith('finished')),
    ['0 finished', '1 finished'],
  );
  assert.deepEqual(admission.settled, [
    { promptTokens: 4, generatedTokens: 4, computedTokens: 8, computeMs: 6, cachedTokens: 0 },
  ]);
  assert.deepEqual(admission.cancelled, []);
  assert.deepEqual(
    engine.requests.map(({ priority }) => priority),
    [7, 7],
  );
});

test('refuses before the first event and runs nothing when admission refuses', async () => {
  const refusal = new ApiError('rate_limited');
  const { generate, admission, engine } = open({ sequences: [[1]] }, () => Promise.reject(refusal));
  await assert.rejects(generate(['a']).next(), refusal);
  assert.equal(engine.requests.length, 0);
  assert.deepEqual([admission.settled, admission.cancelled], [[], []]);
});

test('ends every prompt and charges the generated tokens when the reader stops', async () => {
  const { generate, admission, engine } = open({
    sequences: [bytesOf('xyz')],
    pause: (token) => (token === 2 ? NEVER : null),
  });
  let tokens = 0;
  for await (const event of generate(['ab', 'cd'])) {
    if (event.type === 'engine' && event.event.type === 'tokens') tokens++;
    if (tokens === 4) break;
  }
  assert.equal(engine.running, 0);
  const [cost] = admission.settled;
  assert.deepEqual([cost?.promptTokens, cost?.generatedTokens], [4, 4]);
  assert.equal(admission.settled.length, 1);
});

test('ends a waiting generation on abort, and charges nothing for one that never started', async () => {
  const { generate, admission, engine } = open({ sequences: [bytesOf('x')], pause: () => NEVER });
  const gone = new AbortController();
  const events = generate(['a'], gone.signal);
  await events.next();
  const rest = assert.rejects(
    (async () => {
      for await (const _ of events) gone.abort();
    })(),
  );
  await rest;
  assert.equal(engine.running, 0);
  assert.deepEqual([admission.settled.length, admission.cancelled.length], [1, 0]);

  const early = generate(['a']);
  await early.next();
  await early.return(undefined);
  assert.deepEqual([admission.settled.length, admission.cancelled.length], [1, 1]);
});

test('a prompt that fails ends the others, is charged unless the server failed, and throws an ApiError', async () => {
  const cases = [
    [new ModelError('engine_failed', 'died'), 'engine_failed', 503, 0],
    [new ModelError('cache_full', 'too much'), 'generation_too_large', 400, 1],
    [new ModelError('generation_impossible', 'nothing left'), 'invalid_parameter', 400, 1],
    [new ModelError('decoding_too_costly', 'top_p: too much'), 'decoding_too_costly', 400, 1],
  ] as const;
  for (const [error, code, status, charged] of cases) {
    const { generate, admission, engine } = open((length) => ({
      sequences: [bytesOf('xx')],
      ...(length === 1 ? { failure: { after: 1, error } } : { pause: () => NEVER }),
    }));
    await assert.rejects(
      (async () => {
        for await (const _ of generate(['a', 'bc']));
      })(),
      (caught) => caught instanceof ApiError && caught.code === code && caught.status === status,
    );
    assert.equal(engine.running, 0);
    assert.deepEqual([admission.settled.length, admission.cancelled.length], [charged, 1 - charged]);
    // Both prompts, and one token of the one that failed.
    if (charged === 1) assert.equal(admission.settled[0]?.computedTokens, 1 + 2 + 1);
  }
});

test('runs at most 8 prompts of one request at a time', async () => {
  let max = 0;
  const { generate, engine } = open({
    sequences: [bytesOf('x')],
    pause: () => {
      max = Math.max(max, engine.running);
      return null;
    },
  });
  for await (const _ of generate(Array.from({ length: 30 }, () => 'a')));
  assert.equal(engine.requests.length, 30);
  assert.equal(max, 8);
});

test('refuses new generations when closing, and cancels those that run longer than drainTimeoutMs', async () => {
  const { generate, generations, engine } = open({ sequences: [bytesOf('x')], pause: () => NEVER });
  const events = generate(['a']);
  await events.next();
  const running = assert.rejects(
    (async () => {
      for await (const _ of events);
    })(),
    (caught) => caught instanceof ApiError && caught.code === 'shutting_down',
  );
  await generations.close(1);
  await running;
  assert.equal(engine.running, 0);
  await assert.rejects(generate(['a']).next(), (caught) => caught instanceof ApiError && caught.status === 503);
});

test('ends a request that takes longer than its plan allows, charges it, and passes the limits of one prompt on', async () => {
  const engine = createScriptedEngine(() => ({ sequences: [bytesOf('x')], pause: () => NEVER }));
  const admission = createOpenAdmission(0, { generationMs: 60_000, runMs: 1 });
  const logger = createLogger(
    () => {},
    () => new Date(0),
  );
  const { generate } = createGenerationService({ engineOf: () => engine, admission, logger, maxQueueMs: 9_000 });
  const config = byteModel(engine).readParameters({ max_new_tokens: 4 })(2).config;
  const prompts = [{ prompt: bytesOf('ab'), config }];
  await assert.rejects(
    (async () => {
      for await (const _ of generate({ principal: PRINCIPAL, model: 'm', prompts }, signal));
    })(),
    (error) => error instanceof ApiError && error.code === 'generation_timed_out' && error.status === 400,
  );
  assert.equal(admission.settled.length, 1);
  const [asked] = engine.requests;
  assert.deepEqual([asked?.tenant, asked?.maxComputeMs, asked?.maxQueueMs], [PRINCIPAL.projectId, 60_000, 9_000]);
});

test('ends before a settlement that no limit counts, and closes after it', async () => {
  for (const isCounted of [false, true]) {
    const engine = createScriptedEngine(() => ({ sequences: [bytesOf('x')] }));
    const model = byteModel(engine);
    let meter = (): void => {};
    const metered = new Promise<void>((resolve) => {
      meter = resolve;
    });
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const settle = (): Promise<void> => {
      begin();
      return metered;
    };
    const generations = createGenerationService({
      engineOf: () => engine,
      admission: {
        ...createOpenAdmission(),
        admit: async (...asked) => ({
          ...(await createOpenAdmission().admit(...asked)),
          isCounted,
          settle,
        }),
      },
      logger: createLogger(
        () => {},
        () => new Date(0),
      ),
    });
    let hasEnded = false;
    const prompts = [{ prompt: bytesOf('a'), config: model.readParameters({ max_new_tokens: 1 })(1).config }];
    const read = async (): Promise<void> => {
      for await (const _ of generations.generate({ principal: PRINCIPAL, model: 'any', prompts }, signal));
      hasEnded = true;
    };
    const reading = read();
    await begun;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(hasEnded, !isCounted);
    let hasClosed = false;
    const closed = generations.close(0).then(() => {
      hasClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(hasClosed, false);
    meter();
    await Promise.all([reading, closed]);
  }
});
