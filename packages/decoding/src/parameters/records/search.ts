import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../../generate-config.ts';
import { each } from '../../logits-processor.ts';
import { ParameterError } from '../../parameter-error.ts';
import { guide } from '../../processors/guidance.ts';
import { numberParameter } from '../define-parameter.ts';
import { LIMITS } from '../parameter-context.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord, type ParameterSituation } from '../parameter-record.ts';
import { toList, toTokenIds } from '../read-list.ts';
import { MASK_SCHEMA, refuseMask } from '../read-mask.ts';
import { type Fields, refuse, toInteger } from '../read-value.ts';
import { TOKEN_IDS } from '../schemas.ts';

/** Other ways to choose tokens: contrastive search, DoLa, prompt lookup, guidance. */
export interface SearchConfig {
  readonly penaltyAlpha: number;
  /** Candidate layers of DoLa, 0 = embedding output. Empty in other modes. */
  readonly dolaLayers: readonly number[];
  /** Draft tokens per step of prompt lookup; 0: off. */
  readonly promptLookupNumTokens: number;
  readonly maxMatchingNgramSize: number;
  readonly guidanceScale: number;
  /** Context of the unconditional branch; null: the last prompt token. */
  readonly negativePromptIds: readonly TokenId[] | null;
}

export const SEARCH_PARAMETERS: readonly ParameterRecord[] = [
  numberParameter({
    name: 'penalty_alpha',
    group: 'search',
    versions: BOTH_VERSIONS,
    help: 'Contrastive search: weight of the penalty on tokens whose hidden state resembles an earlier one.',
    type: 'number',
    default: 0,
    ignored: ({ mode, compat }) => {
      const topK = compat === '4.25' ? 'a top_k above 1 in the request' : 'top_k above 1';
      return mode === 'contrastive'
        ? null
        : `contrastive search needs it above 0, ${topK} and no do_sample; decoding is ${mode}`;
    },
    toConfig: (penaltyAlpha) => ({ penaltyAlpha }),
  }),
  {
    name: 'dola_layers',
    group: 'search',
    versions: ONLY_5_18,
    help: 'DoLa: contrasts the last layer with inner ones, every other layer of the "low" or "high" half or a list of layers; not on llama.cpp.',
    value: {
      type: 'json',
      form: '"low", "high" or [layer, …]',
      schema: { oneOf: [{ enum: ['low', 'high'] }, { type: 'array', items: { type: 'integer', minimum: 0 } }] },
    },
    acts: { modes: ['dola'], otherwise: 'it acts only without beams and prompt lookup' },
    read: (fields, situation) => ({ dolaLayers: readDolaLayers(fields, situation) }),
  },
  {
    name: 'prompt_lookup_num_tokens',
    group: 'search',
    versions: ONLY_5_18,
    help: 'Prompt lookup: number of tokens to draft from earlier text per step; changes the speed, not the tokens.',
    value: { type: 'integer', min: 1 },
    ignored: (config) => (config.promptLookupNumTokens > 0 ? null : `it does not act in ${config.mode} decoding`),
    read: (fields, situation) => ({ promptLookupNumTokens: readDraftTokens(fields, situation) }),
  },
  numberParameter({
    name: 'max_matching_ngram_size',
    group: 'search',
    versions: ONLY_5_18,
    help: 'Prompt lookup: longest run of tokens that is looked up.',
    type: 'integer',
    min: 1,
    default: 2,
    ignored: ({ promptLookupNumTokens }) =>
      promptLookupNumTokens > 0 ? null : 'it acts only with prompt_lookup_num_tokens',
    toConfig: (maxMatchingNgramSize) => ({ maxMatchingNgramSize }),
  }),
  numberParameter({
    name: 'guidance_scale',
    group: 'search',
    versions: ONLY_5_18,
    help: 'Classifier-free guidance: above 1 the output follows the prompt more closely, at twice the cost.',
    type: 'number',
    default: 1,
    ignored: ({ guidanceScale }) => (guidanceScale === 1 ? '1 is neutral' : null),
    toConfig: (guidanceScale) => ({ guidanceScale }),
    processor: ({ guidanceScale }) =>
      guidanceScale === 1
        ? null
        : each(({ scores, unconditional }) =>
            unconditional === undefined ? 1 : guide(scores, unconditional, guidanceScale),
          ),
  }),
  {
    name: 'negative_prompt_ids',
    group: 'search',
    versions: ONLY_5_18,
    help: 'Guidance: the prompt to move away from; without it, the last token of the prompt.',
    value: { type: 'json', form: '[id, …]', schema: TOKEN_IDS },
    ignored: ({ guidanceScale }) => (guidanceScale === 1 ? 'it acts only with guidance_scale other than 1' : null),
    read: (fields, { context }) => {
      const value = fields.get('negative_prompt_ids');
      if (value === undefined) return { negativePromptIds: null };
      return {
        negativePromptIds: toTokenIds('negative_prompt_ids', value, context.vocabSize, context.contextLength - 1),
      };
    },
  },
  {
    name: 'negative_prompt_attention_mask',
    group: 'search',
    versions: ONLY_5_18,
    help: 'Guidance: the mask of the negative prompt, ones alone.',
    value: MASK_SCHEMA,
    read: refuseMask('negative_prompt_attention_mask'),
  },
];

function readDolaLayers(fields: Fields, { mode, context }: ParameterSituation): readonly number[] {
  const name = 'dola_layers';
  const value = fields.get(name);
  if (value === undefined) return [];
  const everySecond = (from: number, to: number) =>
    Array.from({ length: Math.max(0, Math.ceil((to - from) / 2)) }, (_, index) => from + 2 * index);
  const layerCount = context.earlyExitLayers ?? 0;
  const half = Math.floor(layerCount / 2);
  let layers: readonly number[];
  // Layer 0 is the output of the embedding.
  if (value === 'low') layers = half === 0 ? [0] : everySecond(0, half);
  else if (value === 'high') layers = everySecond(half, layerCount);
  else if (Array.isArray(value) && value.length > 0) {
    const shape = { what: '"low", "high" or an array of layers', max: LIMITS.rows };
    layers = toList(name, value, shape, (layer) => toInteger(name, layer, { min: 0 })).filter(
      (layer) => layer < layerCount,
    );
  } else refuse(name, '"low", "high" or an array of layers', value);
  if (mode !== 'dola') return [];
  if (context.earlyExitLayers === undefined) {
    throw new ParameterError(
      'unsupported_parameter',
      [name],
      `${name}: this engine gives no logits of inner layers; leave it out`,
    );
  }
  if (layers.length === 0) refuse(name, `a layer below ${layerCount}`, value);
  return [...new Set(layers)];
}

function readDraftTokens(fields: Fields, { mode }: ParameterSituation): GenerateConfig['promptLookupNumTokens'] {
  const name = 'prompt_lookup_num_tokens';
  if (!fields.has(name)) return 0;
  const tokens = toInteger(name, fields.get(name), { min: 1 });
  return mode === 'greedy' || mode === 'sample' ? Math.min(tokens, LIMITS.draftTokens) : 0;
}
