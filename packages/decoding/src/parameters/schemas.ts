/** JSON Schemas that several parameters share. */
import { LIMITS } from './parameter-context.ts';
import type { JsonSchema } from './parameter-record.ts';

export const TOKEN_ID: JsonSchema = { type: 'integer', minimum: 0 };
export const TOKEN_IDS: JsonSchema = { type: 'array', minItems: 1, items: TOKEN_ID };
export const TEXT: JsonSchema = { type: 'string', minLength: 1 };
/** Lists of token ids, at most as many as one parameter takes. */
export const TOKEN_ID_LISTS: JsonSchema = {
  type: 'array',
  minItems: 1,
  maxItems: LIMITS.listEntries,
  items: { type: 'array', minItems: 1, maxItems: LIMITS.wordLength, items: TOKEN_ID },
};
/** One token id or several. */
export const TOKEN_ID_OR_IDS: JsonSchema = { oneOf: [TOKEN_ID, TOKEN_IDS] };
/** A string or several. */
export const TEXT_OR_TEXTS: JsonSchema = {
  oneOf: [TEXT, { type: 'array', minItems: 1, maxItems: LIMITS.stopStrings, items: TEXT }],
};
