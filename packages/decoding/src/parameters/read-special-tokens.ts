import type { TokenId } from '@gptj-cloud/model';
import type { CompatVersion } from '../generate-config.ts';
import { LIMITS, type ModelContext } from './parameter-context.ts';
import { toFilledList } from './read-list.ts';
import { type Fields, refuse, toInteger } from './read-value.ts';

/** `eos_token_id`, else the model's. */
export function readEos(fields: Fields, compat: CompatVersion, context: ModelContext): readonly TokenId[] {
  const name = 'eos_token_id';
  const value = fields.get(name);
  const toEos = (id: unknown) => toInteger(name, id, { min: -1, max: context.vocabSize - 1 });
  if (value === undefined) {
    if (context.eosTokenId === null) return [];
    return typeof context.eosTokenId === 'number' ? [context.eosTokenId] : context.eosTokenId;
  }
  if (!Array.isArray(value)) return [toEos(value)];
  if (compat === '4.25') refuse(name, 'one id in transformers 4.25', value);
  const shape = { what: 'an id or an array of ids', max: LIMITS.wordLength, whenEmpty: 'at least one id' };
  return toFilledList(name, value, shape, toEos);
}

/** `pad_token_id`, else the model's, else the first EOS. */
export function readPad(fields: Fields, context: ModelContext, eosTokenIds: readonly TokenId[]): TokenId | null {
  const value = fields.get('pad_token_id');
  if (value !== undefined) return toInteger('pad_token_id', value, { min: -1, max: context.vocabSize - 1 });
  return context.padTokenId ?? eosTokenIds[0] ?? null;
}
