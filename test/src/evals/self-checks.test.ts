// Self-checks against a server that answers rightly, and against servers that answer wrongly in known ways.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type OpenModel, openModel } from '@gptj-cloud/engine';
import {
  createCompletionsScorer,
  createLanguageModelScorer,
  runSelfChecks,
  type SelfCheck,
  type TokenScorer,
} from '@gptj-cloud/evals';
import { type CompletionsStub, type Fault, startCompletionsStub } from './completions-stub.ts';

const MODEL = fileURLToPath(new URL('../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));
const ALL_CHECKS = ['finite', 'chain_rule', 'next_token', 'probabilities', 'batches', 'shuffled'];

let opened: OpenModel;
before(async () => {
  opened = await openModel({ path: MODEL, cacheCells: 4096 });
});
after(async () => {
  await opened.close();
});

async function check(scorer: TokenScorer, skip: readonly SelfCheck[] = []): Promise<readonly string[]> {
  const { tokenizer } = opened;
  const { signal } = new AbortController();
  return await runSelfChecks({ scorer, tokenizer, prefixToken: 50256, skip: new Set(skip), signal });
}

async function withStub(
  fault: Fault,
  use: (scorer: TokenScorer, stub: CompletionsStub) => Promise<void>,
): Promise<void> {
  const stub = await startCompletionsStub(opened, fault);
  try {
    const { tokenizer } = opened;
    const options = { token: null, model: 'stub', tokenizer, contextLength: 2048, batchSize: 8, concurrency: 2 };
    await use(createCompletionsScorer({ url: stub.url, ...options }), stub);
  } finally {
    await stub.close();
  }
}

test('a model of this process passes every check', async () => {
  assert.deepEqual(await check(engineScorer()), ALL_CHECKS);
});

function engineScorer(): TokenScorer {
  const { model, tokenizer } = opened;
  const identity = { adapter: 'engine', model: 'nano', weights: '', type: null, engine: null } as const;
  return createLanguageModelScorer({ model, tokenizer, identity });
}

interface TokenPlace {
  /** Index in the continuation. */
  readonly at: number;
  /** Of the requests of the call. */
  readonly requests: number;
}

/** A model whose log-probabilities are changed; predictions have the place of a token that is scored alone. */
function changed(change: (logprob: number, place: TokenPlace) => number): TokenScorer {
  const scorer = engineScorer();
  return {
    ...scorer,
    score: (requests, { signal, onScored }) =>
      scorer.score(requests, {
        signal,
        onScored: (scored) =>
          onScored(
            scored.map(({ index, scores }) => ({
              index,
              scores: {
                ...scores,
                logprobs: scores.logprobs.map((logprob, at) => change(logprob, { at, requests: requests.length })),
              },
            })),
          ),
      }),
    async nextTokens(...args) {
      const named = await scorer.nextTokens(...args);
      return named.map(({ token, logprob }) => ({ token, logprob: change(logprob, { at: 0, requests: 1 }) }));
    },
  };
}

for (const [name, title, change, skip] of [
  ['finite', 'positive log-probabilities', (logprob: number) => logprob + 20, []],
  [
    'chain_rule',
    'another scale for the first token',
    (logprob: number, { at }: TokenPlace) => logprob - (at > 0 ? 0.2 : 0),
    [],
  ],
  ['probabilities', 'probabilities that add up to more than 1', (logprob: number) => Math.min(0, logprob + 1.5), []],
  [
    'batches',
    'other log-probabilities for five requests together',
    (logprob: number, { requests }: TokenPlace) => logprob - (requests === 5 ? 0.2 : 0),
    [],
  ],
  ['shuffled', 'the likelihoods upside down', (logprob: number) => -60 - logprob, ['probabilities']],
] as const) {
  test(`a model with ${title} fails ${name}`, async () => {
    await assert.rejects(check(changed(change), skip), {
      code: 'check_failed',
      message: new RegExp(`self-check ${name} failed`),
    });
  });
}

test('a right server passes every check, asked with the bodies of local-completions', async () => {
  await withStub('none', async (scorer, { bodies }) => {
    assert.deepEqual(await check(scorer), ALL_CHECKS);
    const { prompt, ...rest } = bodies.find(({ echo }) => echo === true) ?? {};
    assert.ok(Array.isArray(prompt) && Array.isArray(prompt[0]));
    // lm-evaluation-harness 0.4.13, lm_eval/models/openai_completions.py.
    assert.deepEqual(rest, { model: 'stub', temperature: 0, max_tokens: 1, logprobs: 1, seed: 1234, echo: true });
  });
});

const FAULTS: readonly (readonly [Fault, string, RegExp])[] = [
  [
    'shifted-left',
    'log-probabilities shifted by one to the left',
    /self-check (?:finite|chain_rule|next_token) failed/,
  ],
  [
    'shifted-right',
    'log-probabilities shifted by one to the right',
    /self-check (?:finite|chain_rule|next_token) failed/,
  ],
  ['wrong-token', 'log-probabilities of another token', /self-check next_token failed/],
  ['best-token', 'log-probabilities of the most likely token', /self-check next_token failed/],
  ['top-1', 'a constant for all but the most likely token', /self-check (?:finite|next_token) failed/],
  ['top-1-certain', 'certainty for the most likely token', /self-check (?:finite|next_token) failed/],
  ['nulls', 'no log-probability for all but the most likely token', /self-check finite failed/],
];
for (const [fault, description, message] of FAULTS) {
  test(`a server with ${description} is refused with the failed check named`, async () => {
    await withStub(fault, async (scorer) => {
      await assert.rejects(check(scorer), { code: 'check_failed', message });
    });
  });
}
