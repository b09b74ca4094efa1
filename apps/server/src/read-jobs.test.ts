// Requests that are read on a worker thread, against the same on the server's thread.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTokenizer } from '@gptj-cloud/engine';
import { PickleTuple } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';
import { READ_COMPLETION } from './api/openai/read-completion.ts';
import { READ_RUN_BODY } from './api/pipeline-cloud/read-run-body.ts';
import { READ_TEXT_GENERATION } from './api/tgi/read-text-generation.ts';
import { embeddedModelPath } from './embedded-model.ts';
import { createParameterReader } from './generation/parameter-parser.ts';
import { DESCRIBE_GPTJ_INPUT, READ_GPTJ_RUN } from './generation/pipelines/gptj-pipeline.ts';
import { READ_JOBS } from './read-jobs.ts';
import { pickleInput } from './runs/input-pickle.ts';
import { createLogger } from './telemetry/logger.ts';
import { createFakeEngine } from './testing/fake-model.ts';
import type { WorkerModel } from './worker-main.ts';
import type { AnyJob, Job } from './workers/job.ts';
import { createDirectRunner, createJobRunner } from './workers/job-runner.ts';
import { openWorkerPool } from './workers/worker-pool.ts';

const modelPath = await embeddedModelPath();
const { info } = createFakeEngine();
const tokenizer = await openTokenizer(modelPath);
const model = { info, tokenizer, readParameters: createParameterReader(info, tokenizer) };
const pool = openWorkerPool({
  entry: new URL('./worker-main.js', import.meta.url),
  workerData: { vocabulary: modelPath, info, others: [] } satisfies WorkerModel,
  threads: 1,
  maxWaiting: 16,
  deadlineMs: 60_000,
  maxHeapMb: 512,
  logger: createLogger(
    () => {},
    () => new Date(),
  ),
});
after(() => pool.close());
/** Every job on the worker thread. */
const onWorker = createJobRunner({ tools: model, pool, maxBytes: -1 });
const direct = createDirectRunner(model);

type Reading<Input, Output> = Job<typeof model, Input, Output>;

async function sameOnBoth<Input, Output>(job: Reading<Input, Output>, makeInput: () => Input): Promise<Output> {
  const [here, there] = await Promise.all([
    direct.run(job, makeInput(), 'a').catch((error: unknown) => error),
    onWorker.run(job, makeInput(), 'a').catch((error: unknown) => error),
  ]);
  if (here instanceof ApiError && there instanceof ApiError) {
    assert.deepEqual(
      [there.code, there.message, there.details, there.status],
      [here.code, here.message, here.details, here.status],
    );
    throw there;
  }
  // A Buffer arrives as the Uint8Array that it is.
  assert.deepEqual(there, structuredClone(here));
  return here as Output;
}

const body = (value: unknown) => ({ body: new TextEncoder().encode(JSON.stringify(value)) });

test('requests of every API are read alike on a worker thread', async () => {
  const completion = {
    prompt: ['Once upon a time', 'the king'],
    max_tokens: 5,
    echo: true,
    logprobs: 2,
    stop: ['x'],
    prefix_allowed_tokens_fn: { regex: '[a-z]+' },
  };
  const { prompts } = await sameOnBoth(READ_COMPLETION, () => body(completion));
  assert.deepEqual(
    prompts.map(({ prompt }) => prompt.length),
    [4, 2],
  );
  await sameOnBoth(READ_TEXT_GENERATION, () => ({
    ...body({ inputs: 'the king', parameters: { details: true, bad_words: ['x'] } }),
    dialect: 'generate' as const,
    mustStream: false,
  }));
  const { input } = await sameOnBoth(READ_RUN_BODY, () => body({ pipeline_id: 'x', data: ['a', { top_k: 3 }], y: 1 }));
  await sameOnBoth(READ_GPTJ_RUN, () => ({ input: input?.slice() ?? new Uint8Array() }));
  await sameOnBoth(DESCRIBE_GPTJ_INPUT, () => ({ input: input?.slice() ?? new Uint8Array() }));
  const tuple = new PickleTuple(['a', new Map([['bad_words_ids', [new PickleTuple([1n, 2n])]]])]);
  const run = await sameOnBoth(READ_GPTJ_RUN, () => ({ input: pickleInput(tuple) }));
  assert.deepEqual(run.request.config.badWordsIds, [[1, 2]]);
});

test('refusals are alike as well', async () => {
  const refusals: readonly (() => Promise<unknown>)[] = [
    () => sameOnBoth(READ_COMPLETION, () => ({ body: new TextEncoder().encode('{') })),
    () => sameOnBoth(READ_COMPLETION, () => body({ prompt: 'a', tempratur: 1 })),
    () => sameOnBoth(READ_COMPLETION, () => body({ prompt: 'a', prefix_allowed_tokens_fn: { regex: '(' } })),
    () => sameOnBoth(READ_RUN_BODY, () => body({ pipeline_id: 1 })),
    () => sameOnBoth(READ_GPTJ_RUN, () => ({ input: Uint8Array.of(1, 2, 3) })),
    () => sameOnBoth(READ_GPTJ_RUN, () => ({ input: pickleInput(['a', new Map([['x', 1n]])]) })),
  ];
  for (const refusal of refusals) await assert.rejects(refusal, ApiError);
});

test('every job has a name of its own', () => {
  const names = READ_JOBS.map(({ name }: AnyJob<typeof model>) => name);
  assert.equal(new Set(names).size, names.length);
});
