import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerateOutcome, ScoreRow, TokenReport } from '@gptj-cloud/decoding';
import type { GenerationEvent } from '../engine.ts';
import { createEventJoiner, inMessages, toWireEvents, type WireEvent } from './event-parts.ts';

const report = (token: number, top: number): TokenReport => ({
  token,
  logprob: -token,
  top: Array.from({ length: top }, (_, at) => ({ token: at, logprob: -at })),
});
const row = (entries: number): ScoreRow => ({
  type: 'top',
  entries: Array.from({ length: entries }, (_, at) => [at, at / 2] as const),
});
const usage = { promptTokens: 1, generatedTokens: 3, computedTokens: 3, cachedTokens: 0, queueMs: 0, computeMs: 1 };

function eventsOf(outcome: GenerateOutcome): readonly GenerationEvent[] {
  return [
    { type: 'started' },
    ...outcome.sequences.map(({ tokens, logprobs }, index) => ({
      type: 'tokens' as const,
      index,
      tokens,
      ...(logprobs === undefined ? {} : { logprobs }),
    })),
    ...(outcome.beams ?? []).map((candidates, step) => ({ type: 'searched' as const, step, candidates })),
    { type: 'finished', outcome, usage: usage as never },
  ];
}

/** The outcome after it was sent, and the number of values in the largest message. */
function sent(outcome: GenerateOutcome): { readonly outcome: GenerateOutcome | null; readonly messages: number } {
  const pending = eventsOf(outcome).flatMap((event) => toWireEvents(event).map((wire) => [3, wire] as const));
  const messages = structuredClone(inMessages(pending)) as readonly (readonly (readonly [number, WireEvent])[])[];
  const joiner = createEventJoiner();
  const events = messages.flat().flatMap(([, event]) => joiner.join(event) ?? []);
  const finished = events.find((event) => event.type === 'finished');
  const tokens = events.flatMap((event) => (event.type === 'tokens' ? event.tokens : []));
  assert.deepEqual(
    tokens,
    outcome.sequences.flatMap((sequence) => sequence.tokens),
  );
  return { outcome: finished?.outcome ?? null, messages: messages.length };
}

test('an outcome arrives as it was, whatever lists it has', () => {
  const sequence = { tokens: [1, 2, 3], finishReason: 'length' as const };
  const outcomes: readonly GenerateOutcome[] = [
    { sequences: [sequence], seed: 5, warnings: ['w'] },
    { sequences: [sequence], beams: [[{ parent: 0, token: 1, score: -1, kept: true }], []] },
    { sequences: [{ ...sequence, logprobs: [report(1, 2), report(2, 0), report(3, 2)], beamIndices: [0, 1, 2] }] },
    { sequences: [{ tokens: [], finishReason: 'eos', logprobs: [] }, sequence], promptLogprobs: [], scores: [] },
    {
      sequences: [sequence, sequence],
      promptLogprobs: [report(4, 1)],
      scores: [
        [row(2), null],
        [{ type: 'base64', data: 'AAAA' }, null],
      ],
      logits: [[row(1), row(3)]],
    },
  ];
  for (const outcome of outcomes) assert.deepEqual(sent(outcome), { outcome, messages: 1 });
});

test('long lists are sent in many messages, and log-probabilities once', () => {
  const tokens = Array.from({ length: 500 }, (_, at) => at);
  const logprobs = tokens.map((token) => report(token, 100));
  const outcome: GenerateOutcome = {
    sequences: [
      { tokens, finishReason: 'length', logprobs },
      { tokens, finishReason: 'length', logprobs },
    ],
    promptLogprobs: logprobs,
    scores: Array.from({ length: 30 }, () => [row(1000), row(1000)]),
    logits: Array.from({ length: 10 }, () => [{ type: 'base64' as const, data: 'x'.repeat(268_800) }]),
  };
  const result = sent(outcome);
  assert.deepEqual(result.outcome, outcome);
  // 3 × 50,500 values of log-probabilities, 60,000 of scores, 53,760 of logits.
  assert.ok(result.messages >= 30 && result.messages <= 80, `${result.messages} messages`);
});
