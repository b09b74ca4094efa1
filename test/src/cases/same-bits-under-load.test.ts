// The promise of the kernels: the same request and seed give the same tokens and log-probabilities alone and under any
// load, after cancellations, from cached prefixes and after a restart. Compared with ===, without a tolerance.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type GenerateOutcome, parseGenerateParameters } from '@gptj-cloud/decoding';
import { createEngine, type Engine, openModel, openTokenizer, parameterContext } from '@gptj-cloud/engine';
import type { Tokenizer } from '@gptj-cloud/tokenizer';

const MODEL = fileURLToPath(new URL('../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));
const REQUESTS = 200;
const OPENINGS = ['Once upon a time', 'The old man said that', 'In the garden there was', 'A small dog ran to'];
const MODES: readonly Readonly<Record<string, unknown>>[] = [
  { do_sample: true, temperature: 1, top_k: 0 },
  { do_sample: true, temperature: 0.8, top_p: 0.9, num_return_sequences: 2 },
  {},
  { num_beams: 4, num_return_sequences: 2 },
  { prompt_lookup_num_tokens: 4 },
];

let tokenizer: Tokenizer;
before(async () => {
  tokenizer = await openTokenizer(MODEL);
});

async function start(): Promise<Engine> {
  return createEngine(await openModel({ path: MODEL, kind: 'kernels', threads: 2, cacheCells: 4096 }));
}

/** Everything that a request returns: tokens, log-probabilities, scores. */
async function run(engine: Engine, index: number, signal?: AbortSignal): Promise<GenerateOutcome> {
  const story = `${OPENINGS[index % OPENINGS.length]!} ${'there was a house and a tree and '.repeat(index % 3)}number ${index}`;
  const prompt = tokenizer.encode(story);
  const { config } = parseGenerateParameters(
    { max_new_tokens: 8, seed: index, logprobs: 2, ...MODES[index % MODES.length] },
    parameterContext(engine.info, prompt.length),
  );
  for await (const event of engine.generate({ prompt, config }, signal)) {
    if (event.type === 'finished') return event.outcome;
  }
  throw new Error('the engine gave no result');
}

/** The outcomes of every request, `company` of them at a time, each group beside a request that is cancelled. */
async function runAll(engine: Engine, company: number): Promise<readonly GenerateOutcome[]> {
  const outcomes: GenerateOutcome[] = [];
  for (let at = 0; at < REQUESTS; at += company) {
    const cancel = new AbortController();
    const cancelled = run(engine, at + 3, cancel.signal).catch(() => {});
    const group = Array.from({ length: Math.min(company, REQUESTS - at) }, (_, add) => run(engine, at + add));
    if (company > 1) setImmediate(() => cancel.abort());
    else cancel.abort();
    outcomes.push(...(await Promise.all(group)));
    await cancelled;
  }
  return outcomes;
}

let engine: Engine | null = null;
after(() => engine?.close());

test(`${REQUESTS} requests give the same bits alone, among 8 and, after a restart, among 32`, async () => {
  engine = await start();
  const alone = await runAll(engine, 1);
  assert.deepEqual(await runAll(engine, 8), alone);
  await engine.close();
  engine = await start();
  assert.deepEqual(await runAll(engine, 32), alone);
});
