import type { TokenId } from '@gptj-cloud/model';
import type { CustomProcessor } from '../../generate-config.ts';
import { each } from '../../logits-processor.ts';
import { logSoftmaxInPlace } from '../../numerics/log-softmax.ts';
import { favourEos } from '../../processors/exponential-decay.ts';
import { removeInvalidValues } from '../../processors/remove-invalid.ts';
import { force, suppress } from '../../processors/suppress.ts';
import { watermarker } from '../../processors/watermark.ts';
import { STEPS } from '../../work-budget.ts';
import { booleanParameter } from '../define-parameter.ts';
import { BOTH_VERSIONS, ONLY_4_25, ONLY_5_18, type ParameterRecord } from '../parameter-record.ts';
import { readForcedDecoderIds, readForcedEos } from '../read-forced-tokens.ts';
import { type Fields, refuse, toInteger, toNumber, toTokenId } from '../read-value.ts';
import { readWatermark, type WatermarkConfig } from '../read-watermark.ts';
import { TOKEN_ID, TOKEN_ID_OR_IDS, TOKEN_IDS } from '../schemas.ts';
import { readIdList } from '../token-lists.ts';

/** Other changes of scores. */
export interface ProcessorConfig {
  readonly suppressTokens: readonly TokenId[];
  readonly beginSuppressTokens: readonly TokenId[];
  readonly forcedBosTokenId: TokenId | null;
  /** At `atLength` tokens (prompt included) only `tokens` are possible. */
  readonly forcedEos: { readonly tokens: readonly TokenId[]; readonly atLength: number } | null;
  /** Pairs of absolute position (prompt included) and id. */
  readonly forcedDecoderIds: readonly (readonly [position: number, token: TokenId])[];
  /** From `start` generated tokens on, EOS is favoured by `factor` per token. */
  readonly exponentialDecay: { readonly start: number; readonly factor: number } | null;
  readonly removeInvalidValues: boolean;
  readonly renormalizeLogits: boolean;
  readonly watermark: WatermarkConfig | null;
  readonly customProcessors: readonly CustomProcessor[];
}

export const PROCESSOR_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'suppress_tokens',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Token ids that are never generated.',
    value: { type: 'json', form: '[id, …]', schema: TOKEN_IDS },
    custom: true,
    read: (fields, { context }) => ({ suppressTokens: readIdList(fields, 'suppress_tokens', context) }),
    processor: ({ suppressTokens }) =>
      suppressTokens.length === 0 ? null : each(({ scores }) => suppress(scores, suppressTokens)),
  },
  {
    name: 'begin_suppress_tokens',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Token ids that are not generated first.',
    value: { type: 'json', form: '[id, …]', schema: TOKEN_IDS },
    custom: true,
    read: (fields, { context }) => ({ beginSuppressTokens: readIdList(fields, 'begin_suppress_tokens', context) }),
    processor: ({ beginSuppressTokens, forcedBosTokenId, forcedDecoderIds }, { prompt }) => {
      if (beginSuppressTokens.length === 0) return null;
      const forcedBos = prompt.length > 1 || forcedBosTokenId === null ? 0 : 1;
      // Compat 4.25 lets generation begin after the last forced token, and adds that token's absolute position.
      const firstFree = prompt.length + forcedBos + (forcedDecoderIds.at(-1)?.[0] ?? 0);
      return each(({ scores, sequence }) => {
        return sequence.length === firstFree ? suppress(scores, beginSuppressTokens) : 1;
      });
    },
  },
  {
    name: 'forced_bos_token_id',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Token id that is generated first after a prompt of one token.',
    value: { type: 'integer', min: 0 },
    custom: true,
    read: (fields, { context }) => {
      const value = fields.get('forced_bos_token_id');
      return {
        forcedBosTokenId: value === undefined ? null : toTokenId('forced_bos_token_id', value, context.vocabSize),
      };
    },
    processor: ({ forcedBosTokenId }) =>
      forcedBosTokenId === null
        ? null
        : each(({ scores, sequence }) => {
            return sequence.length === 1 ? force(scores, [forcedBosTokenId]) : 1;
          }),
  },
  {
    name: 'forced_eos_token_id',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Token id, or one of several, that is generated last when the maximum length is reached.',
    value: { type: 'json', form: 'id or [id, …]', schema: TOKEN_ID_OR_IDS },
    custom: true,
    readForPrompt: (fields, situation) => ({ forcedEos: readForcedEos(fields, situation) }),
    processor: ({ forcedEos }) =>
      forcedEos === null
        ? null
        : each(({ scores, sequence }) => {
            return sequence.length === forcedEos.atLength ? force(scores, forcedEos.tokens) : 1;
          }),
  },
  {
    name: 'forced_decoder_ids',
    group: 'processors',
    versions: ONLY_4_25,
    help: 'Pairs of position (prompt included) and the token id that is generated there.',
    value: {
      type: 'json',
      form: '[[position, id], …]',
      schema: { type: 'array', items: { type: 'array', prefixItems: [TOKEN_ID, TOKEN_ID], minItems: 2, maxItems: 2 } },
    },
    read: (fields, { context }) => ({ forcedDecoderIds: readForcedDecoderIds(fields, context) }),
    processor: ({ forcedDecoderIds }) => {
      const forcedAt = new Map(forcedDecoderIds);
      if (forcedAt.size === 0) return null;
      return each(({ scores, sequence }) => {
        const token = forcedAt.get(sequence.length);
        return token === undefined ? STEPS.map : force(scores, [token]);
      });
    },
  },
  {
    name: 'exponential_decay_length_penalty',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Makes the end-of-text token more likely by a factor for each token generated after the start.',
    value: {
      type: 'json',
      form: '[start, factor]',
      schema: {
        type: 'array',
        prefixItems: [{ type: 'integer' }, { type: 'number' }],
        minItems: 2,
        maxItems: 2,
      },
    },
    custom: true,
    read: (fields) => ({ exponentialDecay: readExponentialDecay(fields) }),
    processor: ({ exponentialDecay, eosTokenIds, compat }, { prompt }) => {
      if (exponentialDecay === null) return null;
      const { start, factor } = exponentialDecay;
      return each(({ scores, sequence }) => {
        const excess = sequence.length - prompt.length - start;
        return excess > 0 ? favourEos(scores, eosTokenIds, factor, excess, compat) : 1;
      });
    },
  },
  booleanParameter({
    name: 'remove_invalid_values',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Replaces NaN and infinite scores by finite ones.',
    default: false,
    custom: true,
    toConfig: (enabled) => ({ removeInvalidValues: enabled }),
    processor: (config) =>
      config.removeInvalidValues ? each(({ scores }) => removeInvalidValues(scores, config.compat === '5.18')) : null,
  }),
  booleanParameter({
    name: 'renormalize_logits',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Normalises the scores to log-probabilities again after all processors.',
    default: false,
    toConfig: (renormalizeLogits) => ({ renormalizeLogits }),
    finalProcessor: ({ renormalizeLogits }) => (renormalizeLogits ? each(({ scores }) => renormalize(scores)) : null),
  }),
  {
    name: 'watermarking_config',
    group: 'processors',
    versions: ONLY_5_18,
    help: 'Marks the text as generated with the green-list watermark of Kirchenbauer et al.; SynthID is not offered.',
    value: {
      type: 'json',
      form: '{"greenlist_ratio": 0.25, "bias": 2, "hashing_key": 15485863, "seeding_scheme": "lefthash", "context_width": 1}',
      schema: {
        type: 'object',
        properties: {
          greenlist_ratio: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.25 },
          bias: { type: 'number', default: 2 },
          hashing_key: { type: 'integer', minimum: 0, default: 15485863 },
          seeding_scheme: { enum: ['lefthash', 'selfhash'], default: 'lefthash' },
          context_width: { type: 'integer', minimum: 1, default: 1 },
        },
        additionalProperties: false,
      },
    },
    read: (fields, { context }) => ({ watermark: readWatermark(fields, context) }),
    finalProcessor: ({ watermark }, { charge, hold }) =>
      watermark === null ? null : watermarker(watermark, charge, hold),
  },
];

function renormalize(scores: Float32Array): number {
  logSoftmaxInPlace(scores);
  return (STEPS.exp + 4) * scores.length;
}

function readExponentialDecay(fields: Fields): ProcessorConfig['exponentialDecay'] {
  const name = 'exponential_decay_length_penalty';
  const value = fields.get(name);
  if (value === undefined) return null;
  if (!Array.isArray(value) || value.length !== 2) refuse(name, 'a pair [start, factor]', value);
  return { start: toInteger(name, value[0]), factor: toNumber(name, value[1]) };
}
