import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import type { Engine, GenerationEvent } from '@gptj-cloud/engine';
import { GPTJ_6B, ModelError } from '@gptj-cloud/model';
import { SpanStatusCode } from '@opentelemetry/api';
import { recordSpans } from '../../testing/record-spans.ts';
import { observeEngine } from './observe-engine.ts';
import { createServerMetrics, readEngineMetrics } from './server-metrics.ts';

const { config } = parseGenerateParameters(
  { max_new_tokens: 8 },
  { vocabSize: GPTJ_6B.vocabSize, contextLength: 2048, eosTokenId: GPTJ_6B.eosTokenId, promptLength: 3 },
);
const REQUEST = { prompt: [1, 2, 3], config };
const USAGE = { promptTokens: 3, generatedTokens: 3, computedTokens: 6, cachedTokens: 2, queueMs: 20, computeMs: 100 };

function observed(events: readonly (GenerationEvent | Error)[]) {
  let ms = 1000;
  const { tracer, ended } = recordSpans();
  const metrics = createServerMetrics();
  const engine: Engine = {
    info: {
      kind: 'fake',
      modelName: 'gpt-j',
      quantisation: 'F32',
      config: GPTJ_6B,
      cacheCells: 8,
      loadMs: 0,
      backend: 'cpu',
      draftModelName: null,
      adapters: [],
      earlyExitLayers: null,
    },
    async *generate() {
      for (const event of events) {
        ms += 50;
        if (event instanceof Error) throw event;
        yield event;
      }
    },
    stats: async () => ({
      evaluations: 2,
      busyMs: 1500,
      evaluatedTokens: 9,
      batchTokens: [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
      drafts: { lookup: { drafted: 6, accepted: 4 }, model: { drafted: 10, accepted: 7 } },
      active: 1,
      waiting: 2,
      freeCells: 3,
      cacheCells: 8,
      prefixes: 4,
      prefixLabels: [],
      oldestWaitingMs: 250,
      memoryBytes: 7,
    }),
    close: async () => {},
  };
  let finalTokens = 0;
  const onTokens = (count: number): void => {
    finalTokens += count;
  };
  return {
    engine: observeEngine(engine, { metrics, tracer, now: () => ms, onTokens }),
    metrics,
    ended,
    stats: async () => (await engine.stats?.()) ?? assert.fail('expected statistics'),
    finalTokens: () => finalTokens,
  };
}

async function drain(engine: Engine, max = Number.POSITIVE_INFINITY): Promise<void> {
  for await (const _ of engine.generate(REQUEST)) if (--max <= 0) return;
}

const sequence = { tokens: [7, 8, 9], finishReason: 'length' as const };
const STREAM: readonly GenerationEvent[] = [
  { type: 'started' },
  { type: 'tokens', index: 0, tokens: [7] },
  { type: 'tokens', index: 0, tokens: [8, 9] },
  { type: 'finished', outcome: { sequences: [sequence], warnings: [] }, usage: USAGE },
];

test('a generation adds its queue wait, tokens and speed to the metrics', async () => {
  const { engine, metrics, finalTokens } = observed(STREAM);
  await drain(engine);
  assert.equal(finalTokens(), 3);
  const page = await metrics.registry.render();
  for (const line of [
    'gptj_generations_total{end="finished"} 1',
    'gptj_queue_wait_seconds_sum 0.02',
    // Started at 50 ms, first token at 100 ms.
    'gptj_time_to_first_token_seconds_sum 0.1',
    // The two tokens that came together share the 50 ms since the one before.
    'gptj_inter_token_seconds_bucket{le="0.025"} 2',
    'gptj_inter_token_seconds_count 2',
    'gptj_tokens_per_second_sum 30',
    'gptj_prompt_tokens_total 3',
    'gptj_cached_prompt_tokens_total 2',
    'gptj_generated_tokens_total 3',
  ]) {
    assert.ok(page.includes(`${line}\n`), `${line}\n${page}`);
  }
});

test('a generation is a span with the gen_ai attributes of OpenTelemetry, without its texts', async () => {
  const { engine, ended } = observed(STREAM);
  await drain(engine);
  const spans = ended();
  assert.equal(spans.length, 1);
  const { name, attributes, status } = spans[0]!;
  assert.deepEqual([name, status.code], ['text_completion gpt-j', SpanStatusCode.UNSET]);
  assert.equal(attributes['gen_ai.operation.name'], 'text_completion');
  assert.equal(attributes['gen_ai.request.model'], 'gpt-j');
  assert.equal(attributes['gen_ai.request.max_tokens'], 8);
  assert.equal(attributes['gen_ai.usage.input_tokens'], 3);
  assert.equal(attributes['gen_ai.usage.output_tokens'], 3);
  assert.deepEqual(attributes['gen_ai.response.finish_reasons'], ['length']);
});

test('failed and cancelled generations, and readers that stop early, are counted separately', async () => {
  const failing = observed([{ type: 'started' }, new ModelError('engine_failed', 'died')]);
  await assert.rejects(drain(failing.engine), { code: 'engine_failed' });
  assert.match(await failing.metrics.registry.render(), /gptj_generations_total\{end="failed"\} 1/);
  assert.equal(failing.ended()[0]?.status.message, 'engine_failed');

  const aborted = observed([new ModelError('aborted', 'gone')]);
  await assert.rejects(drain(aborted.engine), { code: 'aborted' });
  assert.match(await aborted.metrics.registry.render(), /gptj_generations_total\{end="cancelled"\} 1/);
  assert.equal(aborted.ended()[0]?.status.code, SpanStatusCode.UNSET);

  const left = observed(STREAM);
  await drain(left.engine, 2);
  assert.match(await left.metrics.registry.render(), /gptj_generations_total\{end="cancelled"\} 1/);
});

test("the engine's statistics are read at each scrape", async () => {
  const { metrics, stats } = observed([]);
  readEngineMetrics(metrics, () => [{ labels: {}, stats }]);
  const page = await metrics.registry.render();
  for (const line of [
    'gptj_engine_evaluations_total 2',
    'gptj_engine_busy_seconds_total 1.5',
    'gptj_engine_drafted_tokens_total{source="lookup"} 6',
    'gptj_engine_accepted_draft_tokens_total{source="model"} 7',
    'gptj_engine_generations_active 1',
    'gptj_engine_generations_waiting 2',
    'gptj_engine_cache_cells_free 3',
    'gptj_engine_oldest_waiting_seconds 0.25',
    'gptj_engine_memory_bytes 7',
    'gptj_engine_batch_tokens_bucket{le="8"} 2',
    'gptj_engine_batch_tokens_sum 9',
  ]) {
    assert.ok(page.includes(`${line}\n`), line);
  }
});
