import type { TokenId } from '@gptj-cloud/model';
import { booleanParameter } from '../define-parameter.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord } from '../parameter-record.ts';
import { MASK_SCHEMA, refuseMask } from '../read-mask.ts';

/** How the request as a whole is treated. */
export interface RequestConfig {
  /** Results must not depend on what else the engine computes. */
  readonly deterministic: boolean;
  /** Special tokens in texts are read as plain text. Callers read it before they tokenise a prompt. */
  readonly splitSpecialTokens: boolean;
}

/** An encoder of texts in parameters. */
export type EncodeText = (text: string, options: { readonly splitSpecialTokens: boolean }) => readonly TokenId[];

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
    help: 'An object with parameters of this table; the same names beside it win.',
    value: { type: 'json', form: '{"name": value, …}', schema: { type: 'object' } },
  },
  booleanParameter({
    name: 'split_special_tokens',
    group: 'other',
    versions: BOTH_VERSIONS,
    help: "Reads special tokens such as <|endoftext|> in the prompt and in texts of parameters as plain text; an option of transformers' tokenizer, for text from untrusted sources.",
    default: false,
    land: (splitSpecialTokens) => ({ splitSpecialTokens }),
  }),
  booleanParameter({
    name: 'deterministic',
    group: 'other',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Computes the request by itself, so that the same request gives the same bits every time; slower.',
    default: false,
    land: (deterministic) => ({ deterministic }),
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
