// Log-probabilities of transformers 5.18.0: fixtures/prompt-logprobs.json, made by the script beside it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createDirectApp, type DirectApp } from '../../testing/direct-app.ts';
import { openTinyModel, type TinyModel } from '../../testing/tiny-model.ts';
import type { Completion } from './completion-reply.ts';

interface Case {
  readonly prompt: readonly number[];
  /** Of each token after the first. */
  readonly logprobs: readonly number[];
  /** Of the most likely token at the same place. */
  readonly largest: readonly number[];
  readonly next: { readonly token: number; readonly logprob: number };
}

const TOLERANCE = 1e-3;

let tiny: TinyModel;
let direct: DirectApp;
let cases: readonly Case[];
before(async () => {
  cases = JSON.parse(await readFile(new URL('../../../fixtures/prompt-logprobs.json', import.meta.url), 'utf8'));
  tiny = await openTinyModel();
  direct = createDirectApp(tiny);
});
after(() => tiny.close());

async function score(body: Readonly<Record<string, unknown>>): Promise<Completion> {
  const reply = await direct.post('/v1/completions', { temperature: 0, logprobs: 1, echo: true, seed: 1234, ...body });
  assert.equal(reply.status, 200, await reply.clone().text());
  return (await reply.json()) as Completion;
}

function assertClose(got: number | null | undefined, expected: number, what: string): void {
  assert.ok(typeof got === 'number' && Math.abs(got - expected) <= TOLERANCE, `${what}: ${got} against ${expected}`);
}

for (const maxTokens of [0, 1]) {
  test(`scores prompts as transformers does, with max_tokens ${maxTokens}`, async () => {
    const { choices, usage } = await score({ prompt: cases.map(({ prompt }) => prompt), max_tokens: maxTokens });
    assert.equal(choices.length, cases.length);
    for (const [at, { prompt, logprobs, largest, next }] of cases.entries()) {
      const got = choices[at]!;
      assert.equal(got.index, at);
      assert.equal(got.logprobs?.token_logprobs.length, prompt.length + maxTokens);
      assert.deepEqual([got.logprobs?.token_logprobs[0], got.logprobs?.top_logprobs?.[0]], [null, null]);
      for (const [token, expected] of logprobs.entries()) {
        const what = `prompt ${at}, token ${token + 1}`;
        const logprob: number | null | undefined = got.logprobs?.token_logprobs[token + 1];
        const top = Math.max(...Object.values(got.logprobs?.top_logprobs?.[token + 1] ?? {}));
        assertClose(logprob, expected, what);
        assertClose(top, largest[token]!, `${what}, most likely`);
        // lm-evaluation-harness takes a token for the greedy one by this comparison.
        assert.equal(logprob === top, expected === largest[token], what);
      }
      if (maxTokens === 1) assertClose(got.logprobs?.token_logprobs.at(-1), next.logprob, `prompt ${at}, next`);
    }
    assert.equal(usage?.completion_tokens, maxTokens * cases.length);
  });
}

test('scores a text as its tokens, with offsets into the echoed text', async () => {
  const text = 'abc é ke';
  const ids = tiny.model.tokenizer.encode(text);
  const byText = await score({ prompt: text, max_tokens: 0 });
  const byIds = await score({ prompt: ids, max_tokens: 0 });
  assert.deepEqual(byText.choices, byIds.choices);
  const [choice] = byText.choices;
  assert.equal(choice?.text, text);
  assert.deepEqual(choice?.logprobs?.tokens, ['ab', 'c', ' ', 'bytes:\\xc3', 'bytes:\\xa9', ' ', 'ke']);
  assert.deepEqual(choice?.logprobs?.text_offset.slice(0, 4), [0, 2, 3, 4]);
});

test('scores a prompt that fills the context and refuses one token more', async () => {
  const { contextLength } = tiny.model.info.config;
  const prompt = Array.from({ length: contextLength }, (_, at) => at % 300);
  const { choices } = await score({ prompt, max_tokens: 0 });
  assert.equal(choices[0]?.logprobs?.tokens.length, contextLength);
  const reply = await direct.post('/v1/completions', { prompt, max_tokens: 1, echo: true, logprobs: 1 });
  assert.equal(reply.status, 400);
});

test('streamed and whole replies are equal, log-probabilities included', async () => {
  const body = { prompt: [125, 356, 283], max_tokens: 12, temperature: 0.7, seed: 3, logprobs: 2 };
  const whole = await score({ ...body, echo: false });
  const reply = await direct.post('/v1/completions', { ...body, stream: true });
  const chunks = (await reply.text())
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Completion);
  const parts = chunks.flatMap(({ choices }) => choices);
  assert.equal(parts.map(({ text }) => text).join(''), whole.choices[0]?.text);
  for (const list of ['tokens', 'token_logprobs', 'top_logprobs', 'text_offset'] as const) {
    assert.deepEqual(
      parts.flatMap<unknown>(({ logprobs }) => logprobs?.[list] ?? []),
      whole.choices[0]?.logprobs?.[list],
    );
  }
});
