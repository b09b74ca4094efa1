import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GenerateConfig, parseGenerateParameters } from '@gptj-cloud/decoding';
import type { Engine, GenerationEvent, GenerationUsage } from '@gptj-cloud/engine';
import { GPTJ_6B } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { generationJson, summaryLine } from './generation-report.ts';
import { type GenerationResult, streamGeneration } from './stream-generation.ts';

const USAGE: GenerationUsage = {
  promptTokens: 12,
  generatedTokens: 5,
  computedTokens: 17,
  cachedTokens: 2,
  queueMs: 0,
  computeMs: 3000,
};
const INFO = {
  kind: 'llama',
  modelName: 'm',
  quantisation: 'Q8_0',
  config: GPTJ_6B,
  cacheCells: 2048,
  backend: 'cpu' as const,
  draftModelName: null,
  adapters: [],
  earlyExitLayers: null,
  loadMs: 100,
};

/** Token n is byte n. */
const BYTES: Tokenizer = {
  vocabSize: 256,
  longestTokenBytes: 1,
  encode: (text) => [...new TextEncoder().encode(text)],
  encodeEnd: (text, { count }) => [...new TextEncoder().encode(text)].slice(-count),
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids)),
  tokenBytes: (id) => Uint8Array.of(id),
  isSpecial: () => false,
};

function config(): GenerateConfig {
  const context = { vocabSize: 256, contextLength: 64, eosTokenId: null, promptLength: 1 };
  return parseGenerateParameters({}, context).config;
}

/** The generation of an engine that sends `events`, one second apart. */
async function generation(
  events: readonly GenerationEvent[],
): Promise<{ readonly result: GenerationResult; readonly pieces: readonly string[] }> {
  let nowMs = 0;
  const engine: Engine = {
    info: INFO,
    async *generate() {
      for (const event of events) {
        nowMs += 1000;
        yield event;
      }
    },
    close: () => Promise.resolve(),
  };
  const pieces: string[] = [];
  const result = await streamGeneration({
    engine,
    tokenizer: BYTES,
    request: { prompt: [1], config: config() },
    signal: new AbortController().signal,
    now: () => nowMs,
    onText: async (text) => {
      pieces.push(text);
    },
  });
  return { result, pieces };
}

const bytes = (text: string): number[] => BYTES.encode(text);

test('forwards text with its tokens, in whole characters, and flushes the rest at the end', async () => {
  const all = bytes('aé!?');
  const { result, pieces } = await generation([
    { type: 'started' },
    { type: 'tokens', index: 0, tokens: all.slice(0, 2) },
    { type: 'tokens', index: 0, tokens: all.slice(2, 3) },
    { type: 'finished', outcome: { sequences: [{ tokens: all, finishReason: 'eos' }] }, usage: USAGE },
  ]);
  assert.deepEqual(pieces, ['a', 'é', '!?']);
  assert.deepEqual(result.texts, ['aé!?']);
});

test('ends a text that stops within a character with a replacement character', async () => {
  const cut = bytes('é').slice(0, 1);
  const { result, pieces } = await generation([
    { type: 'finished', outcome: { sequences: [{ tokens: cut, finishReason: 'length' }] }, usage: USAGE },
  ]);
  assert.deepEqual(pieces, ['\ufffd']);
  assert.deepEqual(result.texts, ['\ufffd']);
});

test('measures prefill and decoding separately, without cached and first tokens in the rates', async () => {
  const { result } = await generation([
    { type: 'started' },
    { type: 'tokens', index: 0, tokens: bytes('a') },
    { type: 'finished', outcome: { sequences: [{ tokens: bytes('abcde'), finishReason: 'length' }] }, usage: USAGE },
  ]);
  assert.deepEqual([result.prefillMs, result.decodeMs, result.firstTokens], [1000, 1000, 1]);
  assert.equal(
    summaryLine(result),
    '5 tokens in 3.0 s · prompt 12 tokens, 10.0/s · output 4.00 tokens/s · ended by length limit',
  );
});

test('reports one rate over the whole generation when tokens arrive only at the end', async () => {
  const { result } = await generation([
    { type: 'started' },
    {
      type: 'finished',
      outcome: {
        sequences: [
          { tokens: bytes('ab'), finishReason: 'eos', score: -1.5 },
          { tokens: bytes('c'), finishReason: 'length', score: -2 },
        ],
        seed: 7,
      },
      usage: USAGE,
    },
  ]);
  assert.equal(
    summaryLine(result),
    '5 tokens in 3.0 s · prompt 12 tokens · output 1.67 tokens/s · ended by end of text and length limit · seed 7',
  );
  const json: unknown = JSON.parse(
    generationJson(result, { prompt: 'p', info: INFO, tokenText: String, warnings: ['top_k had no effect'] }),
  );
  assert.deepEqual(json, {
    model: 'm',
    quantisation: 'Q8_0',
    engine: 'llama',
    prompt: 'p',
    sequences: [
      { text: 'ab', token_ids: bytes('ab'), finish_reason: 'eos', score: -1.5 },
      { text: 'c', token_ids: bytes('c'), finish_reason: 'length', score: -2 },
    ],
    seed: 7,
    warnings: ['top_k had no effect'],
    usage: {
      prompt_tokens: 12,
      generated_tokens: 5,
      computed_tokens: 17,
      cached_tokens: 2,
      load_ms: 100,
      compute_ms: 3000,
      prefill_tokens_per_second: null,
      decode_tokens_per_second: null,
    },
  });
});

test('throws when the events of the engine end without a finished event', async () => {
  await assert.rejects(generation([{ type: 'started' }]), /ended without one/);
});
