/** Every decoding mode on every engine: compared with the reference, alone and beside other generations. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type GenerateOutcome, parseGenerateParameters } from '@gptj-cloud/decoding';
import type { LanguageModel, StepResult } from '@gptj-cloud/model';
import type { Engine } from './engine.ts';
import { createEngine } from './in-process-engine.ts';
import { openModel } from './open-model.ts';
import { parameterContext } from './parameter-context.ts';
import { makeTinyModel, type TinyModelFile } from './tiny-model.fixture.ts';

let file: TinyModelFile;
let kernels: Engine;
let llama: Engine;
let reference: Engine;

before(async () => {
  file = await makeTinyModel(128);
  const options = { path: file.path, cacheType: 'f32', cacheCells: 2048, threads: 1 } as const;
  kernels = createEngine(await openModel({ ...options, kind: 'kernels', threads: 2 }));
  llama = createEngine(await openModel({ ...options, kind: 'llama' }));
  reference = createEngine(await openModel({ ...options, kind: 'reference' }));
});
after(async () => {
  await kernels.close();
  await llama.close();
  await reference.close();
  await file.remove();
});

interface Case {
  readonly name: string;
  readonly prompt: readonly number[];
  readonly parameters: Readonly<Record<string, unknown>>;
}

const PROMPTS = [[7], [300, 12, 5], [1, 2, 3, 4, 5, 6, 7, 8], Array.from({ length: 40 }, (_, i) => (i * 37) % 380)];
const MODES: Readonly<Record<string, Record<string, unknown>>> = {
  greedy: {},
  'greedy with processors': { repetition_penalty: 1.4, no_repeat_ngram_size: 3, min_new_tokens: 5 },
  'prompt lookup': { prompt_lookup_num_tokens: 4 },
  sampling: { do_sample: true, temperature: 0.8, top_k: 20, top_p: 0.9, num_return_sequences: 3 },
  guidance: { guidance_scale: 1.5 },
  beam: { num_beams: 4, num_return_sequences: 2 },
  'beam, 2022': { num_beams: 3, num_return_sequences: 3, compat: '4.25' },
  'beam sampling': { num_beams: 3, do_sample: true, temperature: 1.2, num_return_sequences: 2 },
  group: { num_beams: 4, num_beam_groups: 2, diversity_penalty: 0.7, num_return_sequences: 4 },
  constrained: { num_beams: 4, force_words_ids: [[250, 251]] },
  contrastive: { penalty_alpha: 0.5, top_k: 4 },
};
const CASES: readonly Case[] = Object.entries(MODES).flatMap(([name, parameters]) =>
  PROMPTS.map((prompt, i) => ({
    name: `${name}, prompt ${i + 1}`,
    prompt,
    parameters: { seed: 11, max_new_tokens: 10, ...parameters },
  })),
);

async function run(engine: Engine, { prompt, parameters }: Case): Promise<GenerateOutcome> {
  const { config } = parseGenerateParameters(parameters, parameterContext(engine.info, prompt.length));
  for await (const event of engine.generate({ prompt, config })) if (event.type === 'finished') return event.outcome;
  throw new Error('the generation ended without an outcome');
}

/** An upper bound of the difference of llama.cpp's logits from the reference's on this model (its GELU uses float16). */
const LOGIT_DIFFERENCE = 4e-3;

/** The reference engine with random rounding errors of at most `LOGIT_DIFFERENCE` in every logit and hidden state. */
async function perturbedReference(seed: number): Promise<Engine> {
  const opened = await openModel({ path: file.path, kind: 'reference', cacheCells: 2048 });
  let state = seed;
  const moved = (rows: readonly Float32Array[]): Float32Array[] =>
    rows.map((row) =>
      row.map((value) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return value + LOGIT_DIFFERENCE * (state / 2 ** 31 - 1);
      }),
    );
  const { model } = opened;
  const evaluate: LanguageModel['evaluate'] = async (steps, signal) =>
    (await model.evaluate(steps, signal)).map(
      ({ logits, hidden, layers }): StepResult => ({ logits: moved(logits), hidden: moved(hidden), layers }),
    );
  return createEngine({
    ...opened,
    model: new Proxy(model, {
      get(target, name) {
        const value: unknown = name === 'evaluate' ? evaluate : Reflect.get(target, name);
        return typeof value === 'function' && name !== 'evaluate' ? value.bind(target) : value;
      },
    }),
  });
}

const tokens = ({ sequences }: GenerateOutcome): readonly (readonly number[])[] =>
  sequences.map((sequence) => sequence.tokens);

test('llama.cpp and the kernels choose the tokens of the reference wherever rounding cannot change the choice', async (t) => {
  const perturbed = await Promise.all([1, 2, 3, 4].map(perturbedReference));
  const clear = new Set<Case>();
  try {
    for (const entry of CASES) {
      const expected = tokens(await run(reference, entry));
      const others = await Promise.all(perturbed.map(async (engine) => tokens(await run(engine, entry))));
      if (!others.every((other) => isDeepStrictEqual(other, expected))) {
        t.diagnostic(`a close choice: ${entry.name}`);
        continue;
      }
      clear.add(entry);
      assert.deepEqual(tokens(await run(kernels, entry)), expected, `${entry.name}, kernels`);
      assert.deepEqual(tokens(await run(llama, entry)), expected, entry.name);
      const [beside] = await Promise.all([run(llama, entry), run(llama, CASES[0]!), run(llama, CASES[5]!)]);
      assert.deepEqual(tokens(beside!), expected, `${entry.name}, beside others`);
    }
  } finally {
    for (const engine of perturbed) await engine.close();
  }
  for (const mode of Object.keys(MODES)) {
    assert.ok(
      [...clear].some(({ name }) => name.startsWith(`${mode}, prompt`)),
      `no clear case of ${mode}`,
    );
  }
});

for (const name of ['kernels', 'reference'] as const) {
  test(`the ${name} engine gives bit-identical results beside other generations and alone, in every mode`, async () => {
    const engine = name === 'kernels' ? kernels : reference;
    const alone: GenerateOutcome[] = [];
    for (const entry of CASES) alone.push(await run(engine, entry));
    for (let first = 0; first < CASES.length; first += 8) {
      const group = CASES.slice(first, first + 8);
      const together = await Promise.all(group.map((entry) => run(engine, entry)));
      assert.deepEqual(together, alone.slice(first, first + 8));
    }
  });
}

test('DoLa runs on the kernels as on the reference, and is refused with unsupported_parameter on llama.cpp', async () => {
  const entry: Case = { name: 'dola', prompt: [1, 2, 3], parameters: { dola_layers: 'low', max_new_tokens: 4 } };
  const expected = tokens(await run(reference, entry));
  assert.equal(expected[0]?.length, 4);
  assert.deepEqual(tokens(await run(kernels, entry)), expected);
  await assert.rejects(run(llama, entry), { name: 'ParameterError', code: 'unsupported_parameter' });
});
