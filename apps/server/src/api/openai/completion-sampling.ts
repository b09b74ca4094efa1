import type { JsonValue } from '@gptj-cloud/pickle';
import { type FieldReader, refuseField } from '../../generation/field-reader.ts';

/** OpenAI's fields that shape the distribution, under the names of `generate`. Throws `invalid_parameter`. */
export function readSampling(read: FieldReader): Map<string, JsonValue> {
  const fields = new Map<string, JsonValue>();
  const temperature = read.number('temperature', 0, 100);
  const doSample = read.boolean('do_sample');
  if (doSample === true && temperature === 0) {
    throw refuseField('temperature', 'above 0 with do_sample (0 is greedy decoding)', temperature);
  }
  const shaping = [
    ['temperature', temperature],
    ['do_sample', doSample],
    ['top_p', read.number('top_p', 0, 1)],
    ['presence_penalty', read.number('presence_penalty', -2, 2)],
    ['frequency_penalty', read.number('frequency_penalty', -2, 2)],
  ] as const;
  for (const [name, value] of shaping) if (value !== undefined) fields.set(name, value);
  const biases = readLogitBias(read);
  if (biases.length > 0) fields.set('sequence_bias', biases);
  return fields;
}

/** `logit_bias`: an object from token id to a number that is added to its logit. */
function readLogitBias(read: FieldReader): JsonValue[] {
  const entries = [...(read.object('logit_bias') ?? [])];
  return entries.map(([id, bias]) => {
    if (!/^\d{1,9}$/.test(id)) throw refuseField('logit_bias', 'token ids as keys', id);
    if (typeof bias !== 'number' || Math.abs(bias) > 100) {
      throw refuseField('logit_bias', 'numbers from -100 to 100 as values', bias);
    }
    return [[Number(id)], bias];
  });
}
