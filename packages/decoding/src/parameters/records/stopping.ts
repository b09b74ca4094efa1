import type { TokenId } from '@gptj-cloud/model';
import { booleanParameter } from '../define-parameter.ts';
import { LIMITS } from '../parameter-context.ts';
import { BOTH_VERSIONS, type JsonSchema, ONLY_5_18, type ParameterRecord } from '../parameter-record.ts';
import { readPad } from '../read-special-tokens.ts';
import { readStopping } from '../read-stopping.ts';
import { TEXT_OR_TEXTS, TOKEN_ID_LISTS, TOKEN_ID_OR_IDS } from '../schemas.ts';

/** Conditions that end generation. */
export interface StoppingConfig {
  /** Wall-clock budget, counted from the creation of the strategy; null: none. */
  readonly maxTimeMs: number | null;
  readonly stopStrings: readonly string[];
  /** Whether a stop string may begin in the prompt, as in transformers; else generated tokens alone count. */
  readonly stopInPrompt: boolean;
  readonly stopSequences: readonly (readonly TokenId[])[];
  /** Empty: generation never ends by EOS. May hold -1, which no token equals. */
  readonly eosTokenIds: readonly TokenId[];
  /** The id that transformers would pad rows with; null: none. */
  readonly padTokenId: TokenId | null;
}

function criterion(type: string, field: string, schema: JsonSchema): JsonSchema {
  const properties = { type: { const: type }, [field]: schema };
  return { type: 'object', required: ['type', field], properties, additionalProperties: false };
}

export const STOPPING_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'stop_strings',
    group: 'stopping',
    versions: ONLY_5_18,
    help: 'Ends the output once this text, or one of several, appears; a stop string may begin within a token.',
    value: { type: 'json', form: '"text" or ["text", …]', schema: TEXT_OR_TEXTS },
    readWith: 'stopping_criteria',
  },
  booleanParameter({
    name: 'stop_in_prompt',
    group: 'stopping',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Whether a stop string may begin in the prompt, as in transformers.',
    default: true,
    toConfig: (stopInPrompt) => ({ stopInPrompt }),
  }),
  {
    name: 'max_time',
    group: 'stopping',
    versions: BOTH_VERSIONS,
    help: 'Ends the output after the step in which this many seconds have passed.',
    value: { type: 'number', min: 0 },
    readWith: 'stopping_criteria',
  },
  {
    name: 'stopping_criteria',
    group: 'stopping',
    versions: BOTH_VERSIONS,
    help: 'Further reasons to end the output: texts, sequences of token ids, other end-of-text ids, a time limit.',
    value: {
      type: 'json',
      form: '[{"type": "stop_token_sequences", "sequences": [[id, …], …]}, {"type": "stop_strings", "stop_strings": ["text"]}, {"type": "eos", "eos_token_id": id}, {"type": "max_time", "max_time": seconds}]',
      schema: {
        type: 'array',
        maxItems: LIMITS.customProcessors,
        items: {
          oneOf: [
            criterion('stop_token_sequences', 'sequences', TOKEN_ID_LISTS),
            criterion('stop_strings', 'stop_strings', TEXT_OR_TEXTS),
            criterion('eos', 'eos_token_id', TOKEN_ID_OR_IDS),
            criterion('max_time', 'max_time', { type: 'number', minimum: 0 }),
          ],
        },
      },
    },
    read: (fields, { context }) => readStopping(fields, context),
  },
  {
    name: 'eos_token_id',
    group: 'stopping',
    versions: BOTH_VERSIONS,
    help: 'The end-of-text token id, or several; -1 never ends.',
    value: { type: 'json', form: 'id or [id, …]', schema: TOKEN_ID_OR_IDS },
    default: "the model's",
    // Read before the rest by read-special-tokens.ts: other parameters depend on it.
    read: (_fields, { eosTokenIds }) => ({ eosTokenIds }),
  },
  {
    name: 'pad_token_id',
    group: 'stopping',
    versions: BOTH_VERSIONS,
    help: 'The id that ended groups of a group beam search count as chosen; replies are never padded.',
    value: { type: 'integer', min: -1 },
    default: "the model's, else the first eos_token_id",
    read: (fields, { context, eosTokenIds }) => ({ padTokenId: readPad(fields, context, eosTokenIds) }),
  },
];
