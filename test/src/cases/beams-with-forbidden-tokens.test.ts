// remove_invalid_values with beams and constraints on the embedded model; ids from transformers 5.18 on the same weights.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type GenerateOutcome, parseGenerateParameters } from '@gptj-cloud/decoding';
import { createEngine, type Engine, openModel, openTokenizer, parameterContext } from '@gptj-cloud/engine';

const MODEL = fileURLToPath(new URL('../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));

let engine: Engine;
let prompt: readonly number[];
before(async () => {
  prompt = (await openTokenizer(MODEL)).encode('Once upon a time');
  engine = createEngine(await openModel({ path: MODEL, kind: 'reference', cacheCells: 256 }));
});
after(async () => {
  await engine.close();
});

async function run(parameters: Record<string, unknown>): Promise<GenerateOutcome> {
  const { config } = parseGenerateParameters(
    { remove_invalid_values: true, ...parameters },
    parameterContext(engine.info, prompt.length),
  );
  for await (const event of engine.generate({ prompt, config })) if (event.type === 'finished') return event.outcome;
  throw new Error('the engine gave no result');
}

const CASES = [
  {
    parameters: {
      num_beams: 3,
      max_new_tokens: 2,
      prefix_allowed_tokens_fn: {
        allowed_sequences: [
          [612, 373, 257, 1310],
          [257, 582, 508, 550],
        ],
        after_prompt: true,
      },
    },
    expected: [[612, 373]],
  },
  {
    parameters: {
      num_beams: 2,
      max_new_tokens: 4,
      prefix_allowed_tokens_fn: { allowed_sequences: [[612, 373, 257, 1310]], after_prompt: true },
    },
    expected: [[612, 373, 257, 1310]],
  },
  {
    parameters: {
      num_beams: 3,
      num_return_sequences: 2,
      max_new_tokens: 1,
      prefix_allowed_tokens_fn: { allowed_sequences: [[339, 13]], after_prompt: true },
    },
    expected: [[339], [339]],
  },
];

for (const [index, { parameters, expected }] of CASES.entries()) {
  test(`beams follow the allowed sequences as transformers does, request ${index + 1}`, async () => {
    const { sequences } = await run(parameters);
    assert.deepEqual(
      sequences.map(({ tokens }) => [...tokens]),
      expected,
    );
  });
}
