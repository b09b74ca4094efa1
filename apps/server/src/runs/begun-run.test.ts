import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { GPTJ_6B } from '@gptj-cloud/model';
import type { ExecuteOptions, PipelineOutcome, PreparedRun, TokenChunk } from '../generation/pipelines/pipeline.ts';
import { beginRun } from './begun-run.ts';

const { config: CONFIG } = parseGenerateParameters(
  {},
  { vocabSize: GPTJ_6B.vocabSize, contextLength: 2048, eosTokenId: GPTJ_6B.eosTokenId, promptLength: 1 },
);
const OUTCOME: PipelineOutcome = {
  outputs: [['text']],
  outputHead: 'text',
  usage: { promptTokens: 1, generatedTokens: 2, computedTokens: 2, cachedTokens: 0, computeMs: 1 },
  finishReasons: ['length'],
  seed: null,
  warnings: [],
};

interface Execution {
  readonly options: ExecuteOptions;
  readonly end: (outcome: PipelineOutcome) => void;
  readonly fail: (error: Error) => void;
}

function preparedRun() {
  const executions: Execution[] = [];
  const prepared: PreparedRun = {
    need: null,
    promptTokens: 1,
    request: { prompt: [1], config: CONFIG },
    maxComputedTokens: 10,
    contextTokens: 10,
    promptHead: 'a',
    maxGeneratedTokens: 2,
    mode: 'greedy',
    warnings: [],
    execute: (options) =>
      new Promise((end, fail) => {
        executions.push({ options, end, fail });
      }),
  };
  return { prepared, executions };
}

const token = (text: string): TokenChunk => ({ index: 0, text, tokens: [1] });
const never = new AbortController().signal;

test('the execution of a stored run joins the one under way and receives every report in order', async () => {
  const { prepared, executions } = preparedRun();
  const begun = beginRun(prepared, { tenant: 'p', priority: 3 });
  const [first] = executions;
  assert.equal(first?.options.priority, 3);
  first?.options.onTokens?.(token('a'));
  first?.options.onEvent?.({ type: 'stalling' });
  const received: unknown[] = [];
  const outcome = begun.prepared.execute({
    signal: never,
    onTokens: ({ text }) => received.push(text),
    onEvent: ({ type }) => received.push(type),
  });
  first?.options.onTokens?.(token('b'));
  first?.end(OUTCOME);
  assert.equal(await outcome, OUTCOME);
  assert.deepEqual(received, ['a', 'stalling', 'b']);
  assert.equal(executions.length, 1);
});

test('a retry of a begun run executes it anew', async () => {
  const { prepared, executions } = preparedRun();
  const begun = beginRun(prepared, {});
  const first = begun.prepared.execute({ signal: never });
  executions[0]?.fail(new Error('the engine ended'));
  await assert.rejects(first, /the engine ended/);
  const second = begun.prepared.execute({ signal: never });
  executions[1]?.end(OUTCOME);
  assert.equal(await second, OUTCOME);
});

test('a run that is not stored ends its execution, whose failure harms nothing', () => {
  const { prepared, executions } = preparedRun();
  const begun = beginRun(prepared, {});
  begun.stop();
  assert.equal(executions[0]?.options.signal.aborted, true);
  executions[0]?.fail(new Error('aborted'));
});

test('the abort of a joined execution reaches the engine with its reason, also one from before', async () => {
  for (const isBefore of [true, false]) {
    const { prepared, executions } = preparedRun();
    const control = new AbortController();
    const begun = beginRun(prepared, {});
    if (isBefore) control.abort('cancelled');
    const outcome = begun.prepared.execute({ signal: control.signal });
    control.abort('cancelled');
    assert.equal(executions[0]?.options.signal.reason, 'cancelled');
    executions[0]?.fail(new Error('aborted'));
    await assert.rejects(outcome);
  }
});
