/** An engine with a draft model gives what it gives without one: the clock of these tests makes drafts pay. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openGgufWeights } from '@gptj-cloud/checkpoint';
import { type GenerateOutcome, parseGenerateParameters } from '@gptj-cloud/decoding';
import type { LanguageModel, Step, StepResult } from '@gptj-cloud/model';
import type { Engine, GenerationUsage } from './engine.ts';
import { createEngine } from './in-process-engine.ts';
import { readDraftFile } from './open-draft-model.ts';
import { openModel } from './open-model.ts';
import { parameterContext } from './parameter-context.ts';
import { makeTinyModel, type TinyModelFile } from './tiny-model.fixture.ts';

const NANO = fileURLToPath(new URL('../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));

let file: TinyModelFile;
before(async () => {
  file = await makeTinyModel(128);
});
after(() => file.remove());

type Evaluate = LanguageModel['evaluate'];

function withEvaluate(model: LanguageModel, evaluate: Evaluate): LanguageModel {
  return new Proxy(model, {
    get(target, name) {
      if (name === 'evaluate') return evaluate;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface TestEngine extends Engine {
  /** Warnings so far. */
  readonly warnings: readonly string[];
  /** Steps of the draft model so far. */
  readonly draftSteps: readonly (readonly Step[])[];
}

interface TestEngineOptions {
  readonly kind?: 'kernels' | 'reference';
  readonly draft?: 'none' | 'same' | 'disturbed' | 'failing';
  readonly draftCells?: number;
}

/** A step of the model takes 100 ms and 1 ms for each token, one of the draft model 2 ms and 0.1 ms. */
async function start({ kind = 'kernels', draft = 'same', draftCells }: TestEngineOptions = {}): Promise<TestEngine> {
  let now = 0;
  const draftSteps: (readonly Step[])[] = [];
  const warnings: string[] = [];
  const opened = await openModel({
    path: file.path,
    kind,
    cacheType: 'f32',
    cacheCells: 2048,
    threads: 2,
    ...(draft === 'none' ? {} : { draftPath: file.path }),
  });
  const smaller = draftCells === undefined ? null : await openModel({ path: file.path, kind, cacheCells: draftCells });
  const model = withEvaluate(opened.model, async (steps, signal) => {
    now += 100 + steps.reduce((sum, { tokens }) => sum + tokens.length, 0);
    return await opened.model.evaluate(steps, signal);
  });
  const drafting = smaller?.model ?? opened.draft;
  const draftModel =
    drafting &&
    withEvaluate(drafting, async (steps) => {
      now += 2 + 0.1 * steps.reduce((sum, { tokens }) => sum + tokens.length, 0);
      draftSteps.push(steps);
      if (draft === 'failing' && draftSteps.length > 3) throw new Error('it is broken');
      const results = await drafting.evaluate(steps);
      return draft === 'disturbed'
        ? results.map((result, i) => disturb(result, drafting.length(steps[i]!.sequence)))
        : results;
    });
  const engine = createEngine(
    { ...opened, model, draft: draftModel },
    { now: () => now, onWarning: (warning) => warnings.push(warning) },
  );
  return {
    ...engine,
    warnings,
    draftSteps,
    close: async () => {
      await engine.close();
      await smaller?.close();
    },
  };
}

/** At every third position another token is the likeliest. */
function disturb(result: StepResult, position: number): StepResult {
  if (position % 3 > 0) return result;
  return { ...result, logits: result.logits.map((row) => row.map((value) => -value)) };
}

interface Case {
  readonly prompt: readonly number[];
  readonly parameters: Readonly<Record<string, unknown>>;
}

const PROMPTS = [[7], [300, 12, 5], Array.from({ length: 70 }, (_, i) => (i * 37) % 380)];
const MODES: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { repetition_penalty: 1.4, no_repeat_ngram_size: 3, min_new_tokens: 5 },
  { do_sample: true, temperature: 0.9, top_k: 0 },
  { do_sample: true, temperature: 0.8, top_p: 0.9, typical_p: 0.9 },
  { do_sample: true, num_return_sequences: 3 },
  { num_beams: 3, num_return_sequences: 2 },
  { prompt_lookup_num_tokens: 4 },
  { guidance_scale: 1.5 },
  { eos_token_id: [3, 41, 77, 120, 200, 301] },
  { penalty_alpha: 0.5, top_k: 4 },
];
const CASES: readonly Case[] = MODES.flatMap((mode) =>
  PROMPTS.map((prompt) => ({
    prompt,
    parameters: { seed: 11, max_new_tokens: 24, logprobs: 2, processed_logprobs: true, ...mode },
  })),
);

type End = { readonly outcome: GenerateOutcome; readonly usage: GenerationUsage };

async function run(engine: Engine, { prompt, parameters }: Case, signal?: AbortSignal): Promise<End> {
  const { config } = parseGenerateParameters(parameters, parameterContext(engine.info, prompt.length));
  for await (const event of engine.generate({ prompt, config }, signal)) {
    if (event.type === 'finished') return event;
  }
  throw new Error('the generation ended without an outcome');
}

/** What a client receives and pays for. */
async function result(engine: Engine, entry: Case): Promise<unknown> {
  const { outcome, usage } = await run(engine, entry);
  const { promptTokens, generatedTokens, computedTokens } = usage;
  return { outcome, promptTokens, generatedTokens, computedTokens };
}

/** The results of all cases, `company` of them at a time. */
async function results(engine: Engine, company: number): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (let at = 0; at < CASES.length; at += company) {
    all.push(...(await Promise.all(CASES.slice(at, at + company).map((entry) => result(engine, entry)))));
  }
  return all;
}

for (const kind of ['kernels', 'reference'] as const) {
  test(`the ${kind} engine gives the same tokens, scores and counts with a draft model as without one`, async () => {
    const plain = await start({ kind, draft: 'none' });
    const expected = await results(plain, 1);
    await plain.close();
    for (const draft of ['same', 'disturbed'] as const) {
      const engine = await start({ kind, draft });
      // The reference is slow.
      for (const company of kind === 'reference' ? [4] : [1, 4, CASES.length]) {
        assert.deepEqual(await results(engine, company), expected, `${draft}, ${company} at a time`);
      }
      const { model } = (await engine.stats!()).drafts;
      assert.ok(model.drafted > 100, JSON.stringify(model));
      if (draft === 'same') assert.ok(model.accepted > 0.9 * model.drafted, JSON.stringify(model));
      else assert.ok(model.accepted > 0 && model.accepted < 0.9 * model.drafted, JSON.stringify(model));
      assert.deepEqual(engine.warnings, []);
      await engine.close();
    }
  });
}

test('a draft model reduces the evaluations of the model', async () => {
  const evaluations = async (draft: 'none' | 'same'): Promise<number> => {
    const engine = await start({ draft });
    const { evaluations: before } = await engine.stats!();
    await run(engine, { prompt: [9], parameters: { max_new_tokens: 60, eos_token_id: -1, do_sample: true, seed: 1 } });
    const { evaluations: after } = await engine.stats!();
    await engine.close();
    return after - before;
  };
  const [plain, drafted] = [await evaluations('none'), await evaluations('same')];
  assert.equal(plain, 60);
  assert.ok(drafted < 20, String(drafted));
});

test('generations that are cancelled while they draft end, and the others keep their tokens', async () => {
  const plain = await start({ draft: 'none' });
  const expected = await result(plain, CASES[0]!);
  await plain.close();
  const engine = await start();
  const controllers = Array.from({ length: 6 }, () => new AbortController());
  const cancelled = controllers.map(({ signal }, i) => run(engine, CASES[i]!, signal).then(String, ({ code }) => code));
  const kept = result(engine, CASES[0]!);
  for (const controller of controllers) {
    while (engine.draftSteps.length % 4 < 2) await new Promise(setImmediate);
    controller.abort();
  }
  assert.deepEqual(await kept, expected);
  assert.deepEqual([...new Set(await Promise.all(cancelled))], ['aborted']);
  assert.equal((await engine.stats!()).active, 0);
  await engine.close();
});

test('generations go on without drafts when the draft model fails, with a warning', async () => {
  const plain = await start({ draft: 'none' });
  const expected = await results(plain, 1);
  await plain.close();
  const engine = await start({ draft: 'failing' });
  assert.deepEqual(await results(engine, 4), expected);
  assert.deepEqual(engine.warnings, ['the draft model has failed and drafts no more: it is broken']);
  assert.equal(engine.draftSteps.length, 4);
  await engine.close();
});

test('a draft model whose cache is too small for all texts drafts some of them', async () => {
  const plain = await start({ draft: 'none' });
  const expected = await results(plain, 1);
  await plain.close();
  const engine = await start({ draftCells: 128 });
  assert.deepEqual(await results(engine, 4), expected);
  const { model } = (await engine.stats!()).drafts;
  assert.ok(model.accepted > 50, JSON.stringify(model));
  await engine.close();
});

test('feeds a long prompt to the draft model in parts, while another generation goes on', async () => {
  const engine = await start();
  const prompt = Array.from({ length: 100 }, (_, i) => (i * 53) % 380);
  const both = [{ prompt: [9] }, { prompt }].map((one) =>
    run(engine, { ...one, parameters: { max_new_tokens: 24, eos_token_id: -1 } }),
  );
  await Promise.all(both);
  const parts = engine.draftSteps.flat().filter(({ scored }) => scored === 'none');
  assert.ok(parts.length > 0);
  assert.ok(parts.every(({ tokens }) => tokens.length <= 64));
  await engine.close();
});

test('refuses a draft model of another vocabulary before it loads anything, naming both files and the difference', async () => {
  const opening = openModel({ path: file.path, kind: 'kernels', draftPath: NANO });
  await assert.rejects(opening, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'invalid_config');
    assert.ok(error.message.startsWith(`${NANO}: `) && error.message.includes(file.path), error.message);
    assert.match(error.message, /of 384 tokens, got 50400/);
    return true;
  });
  const weights = await openGgufWeights(file.path);
  await weights.close();
  const tokens = weights.tokenizer.tokens.with(300, 'zz');
  const model = { path: 'other.gguf', weights: { ...weights, tokenizer: { ...weights.tokenizer, tokens } } };
  await assert.rejects(readDraftFile(file.path, model), /token 300 is "zz", got "/);
  assert.equal((await readDraftFile(file.path, { path: 'same', weights })).config.vocabSize, 384);
});

test('refuses a draft model that does not exist, and leaves no process or file open', async () => {
  await assert.rejects(openModel({ path: file.path, kind: 'kernels', draftPath: '/nowhere/draft.gguf' }), /nowhere/);
});
