import { booleanParameter } from '../define-parameter.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord } from '../parameter-record.ts';
import { MASK_SCHEMA, refuseMask } from '../read-mask.ts';

/** Parameters of the request as a whole. */
export interface RequestConfig {
  /** Results must not depend on other requests. */
  readonly deterministic: boolean;
  /** Special tokens in texts are read as plain text. Callers read it before they tokenise a prompt. */
  readonly splitSpecialTokens: boolean;
}

export const REQUEST_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'compat',
    group: 'other',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'The transformers version whose names, defaults and behaviour the request follows.',
    value: { type: 'choice', choices: ['5.18', '4.25'] },
    default: '5.18',
  },
  {
    name: 'generation_config',
    group: 'other',
    versions: ONLY_5_18,
    help: 'An object with parameters of this table; the same names beside it take precedence.',
    value: { type: 'json', form: '{"name": value, …}', schema: { type: 'object' } },
  },
  booleanParameter({
    name: 'split_special_tokens',
    group: 'other',
    versions: BOTH_VERSIONS,
    help: "Reads special tokens such as <|endoftext|> in the prompt and in texts of parameters as plain text; an option of transformers' tokenizer, for text from untrusted sources.",
    default: false,
    toConfig: (splitSpecialTokens) => ({ splitSpecialTokens }),
  }),
  booleanParameter({
    name: 'deterministic',
    group: 'other',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Computes the request in isolation, so that the same request gives bit-identical results every time; slower.',
    default: false,
    toConfig: (deterministic) => ({ deterministic }),
  }),
  {
    name: 'attention_mask',
    group: 'other',
    versions: BOTH_VERSIONS,
    help: 'The mask of the prompt, ones alone: prompts are not padded here.',
    value: MASK_SCHEMA,
    read: refuseMask('attention_mask'),
  },
];
