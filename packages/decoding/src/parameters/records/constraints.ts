import type { TokenId } from '@gptj-cloud/model';
import type { AllowedTokens, Constraint, SequenceBias } from '../../generate-config.ts';
import { each } from '../../logits-processor.ts';
import { keepAllowed } from '../../processors/allowed-tokens.ts';
import { sequenceBiaser, wordForbidder } from '../../processors/sequence-bias.ts';
import { LIMITS } from '../parameter-context.ts';
import { type Activity, BOTH_VERSIONS, type JsonSchema, ONLY_5_18, type ParameterRecord } from '../parameter-record.ts';
import { readAllowedTokens } from '../read-allowed-tokens.ts';
import { readConstraints } from '../read-constraints.ts';
import { TEXT, TOKEN_ID_LISTS, TOKEN_IDS } from '../schemas.ts';
import { readBadWords, readSequenceBias } from '../token-lists.ts';

/** Forbidden, favoured and forced words and phrases. */
export interface ConstraintConfig {
  readonly badWordsIds: readonly (readonly TokenId[])[];
  readonly sequenceBias: readonly SequenceBias[];
  readonly constraints: readonly Constraint[];
  readonly allowedTokens: AllowedTokens | null;
}

// Any of these selects constrained beam search, except under compat 4.25 where contrastive search comes first.
const IN_CONSTRAINED_SEARCH: Activity = {
  modes: ['constrained'],
  otherwise: 'it acts only in constrained beam search',
};
const FORCED_WORDS: JsonSchema = { type: 'array', minItems: 1, maxItems: LIMITS.constraints };

export const CONSTRAINT_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'bad_words_ids',
    group: 'constraints',
    versions: BOTH_VERSIONS,
    help: 'Sequences of token ids that are never completed.',
    value: { type: 'json', form: '[[id, …], …]', schema: TOKEN_ID_LISTS },
    custom: true,
    read: (fields, situation) => ({ badWordsIds: readBadWords(fields, situation) }),
    processor: ({ badWordsIds }, { charge }) => {
      if (badWordsIds.length === 0) return null;
      const forbid = wordForbidder(badWordsIds, charge);
      return each(({ scores, sequence }) => forbid(scores, sequence));
    },
  },
  {
    name: 'bad_words',
    group: 'constraints',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Texts that do not occur in the output, each as given and after a space.',
    value: {
      type: 'json',
      form: '["text", …]',
      schema: { type: 'array', minItems: 1, maxItems: LIMITS.listEntries, items: TEXT },
    },
    readWith: 'bad_words_ids',
  },
  {
    name: 'sequence_bias',
    group: 'constraints',
    versions: ONLY_5_18,
    help: 'A number that is added to the score of the token which completes a sequence; sequences are token ids or text.',
    value: {
      type: 'json',
      form: '[[[id, …], bias], …] or {"text": bias, …}',
      schema: {
        oneOf: [
          {
            type: 'array',
            minItems: 1,
            maxItems: LIMITS.listEntries,
            items: {
              type: 'array',
              prefixItems: [{ oneOf: [TOKEN_IDS, TEXT] }, { type: 'number' }],
              minItems: 2,
              maxItems: 2,
            },
          },
          { type: 'object', minProperties: 1, additionalProperties: { type: 'number' } },
        ],
      },
    },
    custom: true,
    read: (fields, situation) => ({ sequenceBias: readSequenceBias(fields, situation.context) }),
    processor: ({ sequenceBias }, { charge }) => {
      if (sequenceBias.length === 0) return null;
      const addBias = sequenceBiaser(sequenceBias, charge);
      return each(({ scores, sequence }) => addBias(scores, sequence));
    },
  },
  {
    name: 'force_words_ids',
    group: 'constraints',
    versions: BOTH_VERSIONS,
    help: 'Words as token ids that occur in the output, or lists of words of which one occurs; needs num_beams above 1.',
    value: {
      type: 'json',
      form: '[[id, …], [[id, …], …], …]',
      schema: { ...FORCED_WORDS, items: { oneOf: [TOKEN_IDS, TOKEN_ID_LISTS] } },
    },
    acts: IN_CONSTRAINED_SEARCH,
    readWith: 'constraints',
  },
  {
    name: 'force_words',
    group: 'constraints',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Texts that occur in the output, or lists of texts of which one occurs; needs num_beams above 1.',
    value: {
      type: 'json',
      form: '["text", ["text", …], …]',
      schema: { ...FORCED_WORDS, items: { oneOf: [TEXT, { type: 'array', minItems: 1, items: TEXT }] } },
    },
    acts: IN_CONSTRAINED_SEARCH,
    readWith: 'constraints',
  },
  {
    name: 'constraints',
    group: 'constraints',
    versions: BOTH_VERSIONS,
    help: 'The long form of force_words_ids: phrases that occur, and alternatives of which one occurs.',
    value: {
      type: 'json',
      form: '[{"type": "phrasal", "token_ids": [id, …]}, {"type": "disjunctive", "nested_token_ids": [[id, …], …]}]',
      schema: {
        ...FORCED_WORDS,
        items: {
          oneOf: [
            {
              type: 'object',
              required: ['type', 'token_ids'],
              properties: { type: { const: 'phrasal' }, token_ids: TOKEN_IDS },
            },
            {
              type: 'object',
              required: ['type', 'nested_token_ids'],
              properties: { type: { const: 'disjunctive' }, nested_token_ids: TOKEN_ID_LISTS },
            },
          ],
        },
      },
    },
    acts: IN_CONSTRAINED_SEARCH,
    read: (fields, { mode, context }) => ({
      constraints: mode === 'constrained' ? readConstraints(fields, context) : [],
    }),
  },
  {
    name: 'prefix_allowed_tokens_fn',
    group: 'constraints',
    versions: BOTH_VERSIONS,
    help: 'The only sequences, or the regular expression, that the output may follow.',
    value: {
      type: 'json',
      form: '{"allowed_sequences": [[id, …], …], "after_prompt": true} or {"regex": "…"}',
      schema: {
        oneOf: [
          {
            type: 'object',
            required: ['allowed_sequences'],
            properties: { allowed_sequences: TOKEN_ID_LISTS, after_prompt: { type: 'boolean', default: false } },
            additionalProperties: false,
          },
          {
            type: 'object',
            required: ['regex'],
            properties: { regex: { type: 'string', maxLength: LIMITS.patternLength } },
            additionalProperties: false,
          },
        ],
      },
    },
    read: (fields, { context }) => ({ allowedTokens: readAllowedTokens(fields, context) }),
    processor: ({ compat }, { allowedNext }) =>
      allowedNext === null ? null : (rows, charge) => keepAllowed(rows, allowedNext, compat === '5.18', charge),
  },
];
