import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GenerateConfig, parseGenerateParameters } from '@gptj-cloud/decoding';
import { CAPABILITIES, capabilitiesOf, needOf } from './request-need.ts';

const END = 5;

function configOf(fields: Readonly<Record<string, unknown>>): GenerateConfig {
  const context = { vocabSize: 300, contextLength: 64, eosTokenId: END, promptLength: 2 };
  return parseGenerateParameters({ max_new_tokens: 4, ...fields }, context).config;
}

const capability = (fields: Readonly<Record<string, unknown>>): string | null =>
  needOf(configOf(fields), [END])?.capability ?? null;

test('a request needs an own engine for what no completions server honours, and names it', () => {
  assert.deepEqual(needOf(configOf({ num_beams: 2, deterministic: true }), [END]), {
    capability: 'own',
    parameters: ['num_beams'],
  });
  assert.equal(capability({ logprobs: 21 }), 'own');
});

test('a request needs what completions servers differ in', () => {
  assert.equal(capability({ repetition_penalty: 1.2 }), null);
  assert.equal(capability({ deterministic: true }), 'deterministic');
  assert.equal(capability({ logprobs: 2 }), 'logprobs');
  assert.deepEqual(needOf(configOf({ logprobs: 2, deterministic: true }), [END]), {
    capability: 'deterministic+logprobs',
    parameters: ['deterministic', 'logprobs'],
  });
});

test('an own engine has every capability, a server those of its limits', () => {
  assert.deepEqual(CAPABILITIES, ['own', 'deterministic', 'logprobs', 'deterministic+logprobs']);
  assert.deepEqual(capabilitiesOf({}), CAPABILITIES);
  const limits = { maxLogprobs: 20, deterministic: false, eosTokenIds: [END] };
  assert.deepEqual(capabilitiesOf({ remote: limits }), ['logprobs']);
  assert.deepEqual(capabilitiesOf({ remote: { ...limits, maxLogprobs: 5 } }), []);
  assert.deepEqual(capabilitiesOf({ remote: { ...limits, deterministic: true } }), CAPABILITIES.slice(1));
});
