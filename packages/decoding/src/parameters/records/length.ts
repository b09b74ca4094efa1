import type { GenerateConfig } from '../../generate-config.ts';
import { each } from '../../logits-processor.ts';
import { suppress } from '../../processors/suppress.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord } from '../parameter-record.ts';
import { DEFAULT_NEW_TOKENS, readMinLength } from '../read-lengths.ts';

/** Limits on the length of the output. */
export interface LengthConfig {
  /** Prompt and generated tokens together never exceed this. */
  readonly maxLength: number;
  /** EOS is forbidden while prompt and generated tokens together are fewer. */
  readonly minLength: number;
}

export const LENGTH_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'max_new_tokens',
    group: 'length',
    versions: BOTH_VERSIONS,
    help: 'Maximum number of tokens to generate; 0 together with prompt_logprobs scores the prompt alone.',
    value: { type: 'integer', min: 0 },
    default: `${DEFAULT_NEW_TOKENS}, or what the context leaves`,
    defaultIn: { '4.25': null },
    readWith: 'max_length',
  },
  {
    name: 'max_length',
    group: 'length',
    versions: BOTH_VERSIONS,
    help: 'Maximum number of tokens of prompt and output together; under compat 4.25 the default is 20.',
    value: { type: 'integer', min: 1 },
    defaultIn: { '4.25': DEFAULT_NEW_TOKENS },
    ignored: (_config, fields) => (fields.has('max_new_tokens') ? 'max_new_tokens wins' : null),
    // read-lengths.ts reads both limits, before everything that depends on them.
    readForPrompt: (_fields, { mode, maxLength, context }) => ({
      // Under compat 4.25 the limit may lie within the prompt; one token is generated all the same.
      maxLength: mode === 'score' ? maxLength : Math.max(maxLength, context.promptLength + 1),
    }),
  },
  {
    name: 'min_new_tokens',
    group: 'length',
    versions: ONLY_5_18,
    help: 'Forbids the end-of-text token until this many tokens are generated.',
    value: { type: 'integer', min: 0 },
    default: 0,
    readWith: 'min_length',
    caution: beyondLimit,
  },
  {
    name: 'min_length',
    group: 'length',
    versions: BOTH_VERSIONS,
    help: 'Forbids the end-of-text token until prompt and output together have this many tokens.',
    value: { type: 'integer', min: 0 },
    default: 0,
    custom: true,
    ignored: (_config, fields) => (fields.has('min_new_tokens') ? 'min_new_tokens wins' : null),
    caution: beyondLimit,
    readForPrompt: (fields, { context }) => ({ minLength: readMinLength(fields, context) }),
    processor: ({ minLength, eosTokenIds }) =>
      minLength <= 0
        ? null
        : each(({ scores, sequence }) => {
            return sequence.length < minLength ? suppress(scores, eosTokenIds) : 1;
          }),
  },
];

function beyondLimit({ minLength, maxLength }: GenerateConfig): string | null {
  return minLength <= maxLength
    ? null
    : `lies beyond the limit of ${maxLength} tokens, prompt included: EOS is never possible`;
}
