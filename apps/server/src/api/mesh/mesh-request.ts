/** `POST /complete` of mesh-transformer-jax's demo server, for which GPT-J was written. */
import type { JsonValue } from '@gptj-cloud/pickle';
import { createFieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';
import type { PromptRequest } from '../../generation/generation-service.ts';
import { encodePrompt, parseConfig, type TextModel } from '../../generation/text-model.ts';

const DEFAULT_TOKENS = 512;

const SPELLING: ReadonlyMap<string, string> = new Map([
  ['max_new_tokens', 'response_length'],
  ['temperature', 'temp'],
]);

/**
 * `context`, `top_p`, `temp`, and of our own `response_length`, `top_k` and `seed`. Filters come before temperature, as
 * on that server. 512 tokens unless said otherwise, or what the context leaves. Throws `invalid_parameter`.
 */
export function parseMeshRequest(model: TextModel, fields: ReadonlyMap<string, JsonValue>): PromptRequest {
  const read = createFieldReader(fields);
  const context = read.value('context');
  if (typeof context !== 'string' || context === '') {
    throw refuseField('context', 'a non-empty text', context ?? null);
  }
  const temperature = read.number('temp', 0, 100) ?? 1;
  if (temperature === 0) throw refuseField('temp', 'a number above 0 (close to it is greedy)', temperature);
  const topP = read.number('top_p', 0, 1) ?? 0.9;
  const topK = read.integer('top_k', { min: 0 }) ?? 0;
  const seed = read.integer('seed', { min: 0 });
  const asked = read.integer('response_length', { min: 1 });
  const [unknown] = read.rest().keys();
  if (unknown !== undefined) {
    throw refuseOption(unknown.slice(0, 80), 'unknown; expected context, top_p, temp, response_length, top_k and seed');
  }
  const { contextLength } = model.info.config;
  const ids = encodePrompt(model, 'context', context, contextLength - 1);
  const generate = new Map<string, JsonValue>([
    ['do_sample', true],
    ['filter_before_temperature', true],
    ['temperature', temperature],
    ['top_p', topP],
    ['top_k', topK],
    ['max_new_tokens', asked ?? Math.min(DEFAULT_TOKENS, contextLength - ids.length)],
    ...(seed === undefined ? [] : [['seed', seed] as const]),
  ]);
  return { prompt: ids, config: parseConfig(model, generate, ids.length, SPELLING) };
}
