import type { TokenId } from '@gptj-cloud/model';
import { ParameterError } from '../../parameter-error.ts';
import { LIMITS } from '../parameter-context.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord, WITH_BEAMS } from '../parameter-record.ts';
import { toTokenIds } from '../read-list.ts';
import { DEFAULT_TOP_SCORES, readOutput } from '../read-output.ts';
import { type Fields, toBoolean } from '../read-value.ts';
import { TOKEN_IDS } from '../schemas.ts';

/** Output beside tokens. */
export interface OutputOptions {
  /** Log-probabilities of the N likeliest tokens beside each generated one; null: none, 0: the chosen one alone. */
  readonly topLogprobs: number | null;
  /** The same for the prompt's tokens. */
  readonly promptLogprobs: number | null;
  /** Reports of generated tokens also hold log-probabilities after processing. */
  readonly processed: boolean;
  readonly scores: boolean;
  readonly logits: boolean;
  /** What every step of a beam search considered. */
  readonly beams: boolean;
  /** How `scores` and `logits` rows are returned: the N largest, or all as base64 of little-endian float32. */
  readonly rowFormat: { readonly type: 'top'; readonly count: number } | { readonly type: 'base64' };
}

export interface OutputConfig {
  readonly output: OutputOptions;
  /** The output itself, which is scored in place of tokens being chosen; null: tokens are chosen. */
  readonly continuation: readonly TokenId[] | null;
}

const withoutDictionary = (_config: unknown, fields: Fields): string | null =>
  fields.get('return_dict_in_generate') === false ? 'return_dict_in_generate is false' : null;

/** Refuses true with the name of the parameter. */
function refuseTrue(fields: Fields, name: string): void {
  if (toBoolean(name, fields.get(name) ?? false)) {
    throw new ParameterError('unsupported_parameter', [name], `${name}: expected false (not offered), got true`);
  }
}

function onlyFalse(name: string, versions: ParameterRecord['versions'], help: string): ParameterRecord {
  return {
    name,
    group: 'output',
    versions,
    help,
    value: { type: 'boolean' },
    default: false,
    read: (fields) => {
      refuseTrue(fields, name);
      return {};
    },
  };
}

export const OUTPUT_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'logprobs',
    group: 'output',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Returns the log-probability of every generated token, with this many of the most likely ones beside it.',
    value: { type: 'integer', min: 0, max: LIMITS.topLogprobs },
    read: (fields) => ({ output: readOutput(fields) }),
  },
  {
    name: 'prompt_logprobs',
    group: 'output',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'The same for the tokens of the prompt, from the second on.',
    value: { type: 'integer', min: 0, max: LIMITS.topLogprobs },
    readWith: 'logprobs',
  },
  {
    name: 'processed_logprobs',
    group: 'output',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'With logprobs: also the log-probabilities after all processors and warpers, null for a token that they forbid.',
    value: { type: 'boolean' },
    default: false,
    readWith: 'logprobs',
    ignored: ({ output }) => (output.topLogprobs === null ? 'it acts only with logprobs' : null),
  },
  {
    name: 'continuation_ids',
    group: 'output',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Scores these tokens as the output instead of choosing any; limits of length and seed have no effect.',
    value: { type: 'json', form: '[id, …]', schema: TOKEN_IDS },
    read: (fields, { context }) => {
      const name = 'continuation_ids';
      const value = fields.get(name);
      return {
        continuation:
          value === undefined ? null : toTokenIds(name, value, context.vocabSize, context.contextLength - 1),
      };
    },
  },
  {
    name: 'output_scores',
    group: 'output',
    versions: BOTH_VERSIONS,
    help: 'Returns the processed scores of every step.',
    value: { type: 'boolean' },
    default: false,
    readWith: 'logprobs',
    ignored: withoutDictionary,
  },
  {
    name: 'output_logits',
    group: 'output',
    versions: ONLY_5_18,
    help: 'Returns the scores of every step before processing.',
    value: { type: 'boolean' },
    default: false,
    readWith: 'logprobs',
    ignored: withoutDictionary,
  },
  {
    name: 'output_beams',
    group: 'output',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Returns what every step of a beam search considered: the beam that each token continues, its score, and whether it was kept.',
    value: { type: 'boolean' },
    default: false,
    acts: WITH_BEAMS,
    readWith: 'logprobs',
    ignored: withoutDictionary,
  },
  {
    name: 'scores_format',
    group: 'output',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'The form of returned scores: the N largest of each row, or whole rows as base64 of little-endian float32.',
    value: {
      type: 'json',
      form: '{"top": N} or "base64"',
      schema: {
        oneOf: [
          { const: 'base64' },
          {
            type: 'object',
            required: ['top'],
            properties: { top: { type: 'integer', minimum: 1, maximum: LIMITS.topScores } },
            additionalProperties: false,
          },
        ],
      },
    },
    default: `{"top": ${DEFAULT_TOP_SCORES}}`,
    readWith: 'logprobs',
    ignored: ({ output }) =>
      output.scores || output.logits ? null : 'it acts only with output_scores or output_logits',
  },
  {
    name: 'return_dict_in_generate',
    group: 'output',
    versions: BOTH_VERSIONS,
    help: 'Returns a dictionary with everything that was requested; without it, sequences alone.',
    value: { type: 'boolean' },
    default: true,
    readWith: 'logprobs',
  },
  onlyFalse('output_attentions', BOTH_VERSIONS, 'Only false is accepted: attentions are not returned.'),
  onlyFalse('output_hidden_states', BOTH_VERSIONS, 'Only false is accepted: hidden states are not returned.'),
  onlyFalse('token_healing', ONLY_5_18, 'Only false is accepted: token healing is not offered.'),
];
