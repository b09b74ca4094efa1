import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTokenizer } from '@gptj-cloud/engine';
import { embeddedModelPath } from './embedded-model.ts';
import { fuzzParameters } from './testing/parameter-fuzz.ts';

test('random parameters are accepted or refused by name in every API; node scripts/trials/fuzz-parameters.mjs sends more', async () => {
  const tokenizer = await openTokenizer(await embeddedModelPath());
  const { accepted, refused, codes } = fuzzParameters({ tokenizer, count: 400, seed: 20_261_127 });
  assert.ok(accepted > 40 && refused > 200, `${accepted} accepted, ${refused} refused`);
  for (const code of ['invalid_parameter', 'invalid_json', 'invalid_pickle', 'invalid_input']) {
    assert.ok(codes.has(code), `no refusal with ${code}: ${[...codes.keys()].join(', ')}`);
  }
});
