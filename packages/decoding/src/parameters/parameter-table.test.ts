import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerateConfig } from '../generate-config.ts';
import { each } from '../logits-processor.ts';
import { applyLogitsProcessors, buildLogitsProcessors } from '../logits-processor-list.ts';
import { suppress } from '../processors/suppress.ts';
import { toyContext } from '../testing/toy-scorer.ts';
import { numberParameter } from './define-parameter.ts';
import { describeParameters, parameterSchemas } from './describe-parameters.ts';
import { ONLY_5_18, type ParameterRecord, WITH_SAMPLING } from './parameter-record.ts';
import { indexParameters, PARAMETERS } from './parameter-table.ts';
import { parseGenerateParameters } from './parse-generate-parameters.ts';
import { PROCESSOR_ORDER } from './processor-order.ts';

const PROMPT = [5, 9, 1];
const isProcessing = (record: ParameterRecord) =>
  record.processor !== undefined || record.warper !== undefined || record.finalProcessor !== undefined;

// The worked example of CONTRIBUTING.md: one record makes a parameter.
const LAST_ALLOWED_ID: ParameterRecord = numberParameter({
  name: 'last_allowed_id',
  group: 'sampling',
  versions: ONLY_5_18,
  own: true,
  help: 'Forbids every token id above this one.',
  type: 'integer',
  min: 0,
  default: null,
  acts: WITH_SAMPLING,
  toConfig: (lastId, { context }) => {
    if (lastId === null) return {};
    const above = Array.from({ length: context.vocabSize - lastId - 1 }, (_, index) => lastId + 1 + index);
    return { suppressTokens: above };
  },
  processor: ({ suppressTokens }) => each(({ scores }) => suppress(scores, suppressTokens)),
});
const EXTENDED = [...PARAMETERS, LAST_ALLOWED_ID];

test('one record defines a parameter: it is parsed, checked, applied and documented', () => {
  const parse = (parameters: unknown) => parseGenerateParameters(parameters, toyContext(PROMPT.length), EXTENDED);
  const { config, warnings } = parse({ do_sample: true, last_allowed_id: 3 });
  assert.deepEqual(warnings, []);

  const scores = Float32Array.of(0, 1, 2, 3, 4, 5);
  const processors = buildLogitsProcessors({ ...config, topK: 0 }, PROMPT, null, EXTENDED);
  applyLogitsProcessors(processors, [{ scores, sequence: PROMPT }]);
  assert.deepEqual([...scores], [0, 1, 2, 3, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);

  assert.throws(() => parse({ do_sample: true, last_allowed_id: -1 }), /last_allowed_id: expected .* of at least 0/);
  assert.throws(() => parse({ last_allowed_id: 3, compat: '4.25' }), /exists only in 5\.18/);
  assert.deepEqual(parse({ last_allowed_id: 3 }).warnings, ['last_allowed_id is ignored: it acts only with do_sample']);

  const description = describeParameters('5.18', EXTENDED).find(({ name }) => name === 'last_allowed_id');
  assert.deepEqual([description?.type, description?.min, description?.own], ['integer', 0, true]);
  assert.deepEqual(parameterSchemas('5.18', EXTENDED).last_allowed_id, {
    description: 'Forbids every token id above this one.',
    type: 'integer',
    minimum: 0,
  });
});

test('every name is unique', () => {
  const names = PARAMETERS.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});

test('every parameter has a reader, is marked without effect, or is refused', () => {
  const readElsewhere = new Set(['compat', 'generation_config']);
  for (const { name, read, readForPrompt, readWith, noEffect, unsupported } of PARAMETERS) {
    if (readElsewhere.has(name)) continue;
    assert.ok(
      read ?? readForPrompt ?? readWith ?? noEffect ?? unsupported,
      `${name} has no effect and does not say why`,
    );
    if (readWith !== undefined) {
      const reader = PARAMETERS.find((record) => record.name === readWith);
      assert.ok(reader?.read ?? reader?.readForPrompt, `${name}: no record reads ${readWith}`);
    }
  }
});

test('every field of a configuration is set by exactly one record', () => {
  const { config } = parseGenerateParameters({}, toyContext(PROMPT.length));
  // A field missing from this list does not compile.
  const fields: Readonly<Record<keyof GenerateConfig, true>> = {
    compat: true,
    mode: true,
    doSample: true,
    numReturnSequences: true,
    temperature: true,
    topH: true,
    topK: true,
    topP: true,
    minP: true,
    typicalP: true,
    epsilonCutoff: true,
    etaCutoff: true,
    filterBeforeTemperature: true,
    seed: true,
    suppressTokens: true,
    beginSuppressTokens: true,
    forcedBosTokenId: true,
    forcedEos: true,
    forcedDecoderIds: true,
    exponentialDecay: true,
    removeInvalidValues: true,
    renormalizeLogits: true,
    watermark: true,
    customProcessors: true,
    penaltyAlpha: true,
    dolaLayers: true,
    promptLookupNumTokens: true,
    maxMatchingNgramSize: true,
    guidanceScale: true,
    negativePromptIds: true,
    deterministic: true,
    lora: true,
    splitSpecialTokens: true,
    repetitionPenalty: true,
    encoderRepetitionPenalty: true,
    presencePenalty: true,
    frequencyPenalty: true,
    noRepeatNgramSize: true,
    encoderNoRepeatNgramSize: true,
    maxTimeMs: true,
    stopStrings: true,
    stopInPrompt: true,
    stopSequences: true,
    eosTokenIds: true,
    padTokenId: true,
    maxLength: true,
    minLength: true,
    output: true,
    continuation: true,
    badWordsIds: true,
    sequenceBias: true,
    constraints: true,
    allowedTokens: true,
    numBeams: true,
    numBeamGroups: true,
    diversityPenalty: true,
    earlyStopping: true,
    lengthPenalty: true,
  };
  assert.deepEqual(Object.keys(config).sort(), Object.keys(fields).sort());
});

test('the processor order of each version lists exactly the processors of that version', () => {
  for (const compat of ['5.18', '4.25'] as const) {
    const accepted = indexParameters(PARAMETERS).accepted[compat];
    const processing = PARAMETERS.filter((record) => isProcessing(record) && accepted.has(record.name));
    // encoder_no_repeat_ngram_size is accepted under 4.25 and refused with any value that would act.
    const expected = processing
      .map(({ name }) => name)
      .filter((name) => compat === '5.18' || !name.startsWith('encoder_no'));
    assert.deepEqual([...PROCESSOR_ORDER[compat]].sort(), expected.sort());
  }
});

test('the documentation of each parameter is one plain sentence', () => {
  for (const { name, help } of PARAMETERS) assert.match(help, /^[A-Z'].*\.$/, name);
});
