import { chooseDefaults } from '@gptj-cloud/decoding';
/** `POST /complete` of mesh-transformer-jax's demo server, for which GPT-J was written. */
import type { JsonValue } from '@gptj-cloud/pickle';
import { createFieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';
import type { PromptRequest } from '../../generation/generation-service.ts';
import { parsePythonFloat } from '../../generation/python-number.ts';
import { ROUTE_DEFAULTS } from '../../generation/route-defaults.ts';
import { encodePrompt, readConfig, type TextModel } from '../../generation/text-model.ts';

/** This API's names for parameters of `generate`. */
const SPELLING: ReadonlyMap<string, string> = new Map([
  ['max_new_tokens', 'response_length'],
  ['temperature', 'temp'],
]);
const KNOWN = 'context, top_p, temp, response_length, top_k, seed and split_special_tokens';

/**
 * `context`, `top_p` and `temp` of the demo server; `response_length`, `top_k`, `seed` and `split_special_tokens` are
 * additions. The demo server reads its numbers with Python's `float`, so they may be text. Throws `invalid_parameter`.
 */
export function parseMeshRequest(model: TextModel, fields: ReadonlyMap<string, JsonValue>): PromptRequest {
  const read = createFieldReader(new Map([...fields].map(([name, value]) => [name, toNumber(name, value)] as const)));
  const context = read.value('context');
  if (typeof context !== 'string' || context === '') {
    throw refuseField('context', 'a non-empty string', context ?? null);
  }
  const temperature = read.number('temp', 0, 100);
  if (temperature === 0) throw refuseField('temp', 'a number above 0 (close to it is greedy)', temperature);
  const shaping = [
    ['temperature', temperature],
    ['top_p', read.number('top_p', 0, 1)],
    ['top_k', read.integer('top_k', { min: 0 })],
    ['seed', read.integer('seed', { min: 0 })],
    ['max_new_tokens', read.integer('response_length', { min: 1 })],
  ] as const;
  const given = new Map<string, JsonValue>();
  for (const [name, value] of shaping) if (value !== undefined) given.set(name, value);
  const splitSpecialTokens = read.boolean('split_special_tokens') ?? false;
  const [unknown] = read.rest().keys();
  if (unknown !== undefined) throw refuseOption(unknown.slice(0, 80), `unknown; expected ${KNOWN}`);
  const { contextLength } = model.info.config;
  const ids = encodePrompt(model, context, { field: 'context', max: contextLength - 1, splitSpecialTokens });
  const { fields: defaults } = chooseDefaults(ROUTE_DEFAULTS.mesh, given);
  return {
    prompt: ids,
    config: readConfig(model, { fields: given, defaults, spelling: SPELLING })(ids.length),
  };
}

const NUMBERS: ReadonlySet<string> = new Set(['top_p', 'temp', 'response_length', 'top_k', 'seed']);

/** The number that a text stands for; a text that is none is left for the reader to refuse. */
function toNumber(name: string, value: JsonValue): JsonValue {
  if (typeof value !== 'string' || !NUMBERS.has(name)) return value;
  return parsePythonFloat(value) ?? value;
}
