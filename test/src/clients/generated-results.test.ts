/** The results of runs have the form from which the SDK's types are made. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateDictSchema, generatedTextsSchema } from '@gptj-cloud/protocol';
import {
  type GenerateParameters,
  GPTJ_PIPELINE_ID,
  PipelineCloud,
  parseTokenLogprob,
  textsOf,
  throwIfFailed,
} from '@gptj-cloud/sdk';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { fillDataDir } from '@gptj-cloud/server/testing';

const TOKEN = 'generated-results-0123456789';

let folder: string;
let server: RunningServer;
let api: PipelineCloud;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-results-'));
  await fillDataDir(folder);
  server = await serve(
    { port: 0, dataDir: folder, apiToken: TOKEN },
    { environment: {}, print: () => {}, log: () => {} },
  );
  api = new PipelineCloud({ token: TOKEN, url: server.url });
});
after(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const EVERYTHING = {
  return_dict_in_generate: true,
  logprobs: 2,
  processed_logprobs: true,
  prompt_logprobs: 1,
  output_scores: true,
  output_logits: true,
  response_length: 4,
} as const satisfies GenerateParameters;

test('a result of texts parses by the schema of texts', async () => {
  const run = await api.runPipeline(GPTJ_PIPELINE_ID, ['Once', { response_length: 3, num_return_sequences: 2 }]);
  const first: string | undefined = run.resultPreview?.[0][0];
  assert.equal(
    generatedTextsSchema.parse(Array.isArray(run.raw.result_preview) && run.raw.result_preview[0])[0],
    first,
  );
  assert.equal(textsOf(run).length, 2);
});

for (const [mode, parameters] of [
  ['sampling', { seed: 1 }],
  ['scores as base64', { scores_format: 'base64', response_length: 1 }],
  ['beam search', { num_beams: 3, num_return_sequences: 2, output_beams: true }],
] as const) {
  test(`a dict of ${mode} with everything parses by the schema of dicts, which knows all of its fields`, async () => {
    const run = await api.runPipeline(GPTJ_PIPELINE_ID, ['Once upon', { ...EVERYTHING, ...parameters }]);
    const dict = throwIfFailed(run).resultPreview?.[0] ?? assert.fail('expected a preview');
    const parsed = generateDictSchema.strict().parse(dict);
    assert.equal(dict.texts[0], textsOf(run)[0]);
    assert.equal(parsed.logprobs?.length, parsed.texts.length);
    const lists = ['logprobs', 'prompt_logprobs', 'scores', 'logits'];
    const beams = mode === 'beam search' ? ['sequences_scores', 'beam_indices', 'beams'] : [];
    assert.deepEqual(
      [...lists, ...beams].filter((name) => !(name in dict)),
      [],
    );
  });
}

test('a continuation has the log-probabilities that it has where it is generated, and nothing is chosen', async () => {
  const asked = { do_sample: true, temperature: 0.7, top_k: 5, logprobs: 8, processed_logprobs: true } as const;
  const scored = async (parameters: GenerateParameters) => {
    const all = { ...asked, ...parameters, return_dict_in_generate: true as const };
    const run = await api.runPipeline(GPTJ_PIPELINE_ID, ['Once upon a time', all]);
    const dict = generateDictSchema.parse(throwIfFailed(run).resultPreview?.[0]);
    const reports = (dict.logprobs?.[0] ?? []).map(parseTokenLogprob);
    return { tokens: dict.sequences[0] ?? [], reports };
  };
  const generated = await scored({ max_new_tokens: 12, seed: 7 });
  const given = await scored({ continuation_ids: generated.tokens });
  assert.deepEqual(given.tokens, generated.tokens);
  for (const [at, { processed, top }] of given.reports.entries()) {
    const drawn = generated.reports[at]?.processed;
    assert.ok(Math.abs((processed ?? Number.NaN) - (drawn ?? Number.NaN)) < 0.05, `token ${at}`);
    assert.equal(top.filter((one) => one.processed !== null).length, 5, 'top_k leaves five of the eight');
  }
});
