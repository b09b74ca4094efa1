import type { TokenId } from '@gptj-cloud/model';
import type { AllowedTokens, CompatVersion, ScoreShaping, WatermarkConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { byteAutomaton } from '../regex/byte-automaton.ts';
import { parsePattern } from '../regex/parse-pattern.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import {
  type Fields,
  refuse,
  refuseStrangeFields,
  toBoolean,
  toFields,
  toInteger,
  toList,
  toNumber,
  toTokenId,
  toTokenIds,
} from './read-value.ts';
import { limitTotal, readBadWords, readIdList, readSequenceBias } from './token-lists.ts';

/** What the meaning of the score-shaping parameters depends on. */
export interface ShapingSituation {
  readonly compat: CompatVersion;
  readonly context: ParameterContext;
  /** Warpers act; outside of it their ranges are not checked, as in transformers. */
  readonly sampling: boolean;
  /** `top_k` is the number of candidates. */
  readonly contrastive: boolean;
  readonly numBeams: number;
  readonly eosTokenIds: readonly TokenId[];
  /** `max_length` as transformers sees it; below the prompt's length in era 4.25 at times. */
  readonly maxLength: number;
}

/** The parameters that shape scores, checked where they act. Throws `ParameterError`. */
export function readShaping(fields: Fields, situation: ShapingSituation): ScoreShaping {
  return { ...readProcessors(fields, situation), ...readWarpers(fields, situation) };
}

type Warpers = Pick<
  ScoreShaping,
  'temperature' | 'topH' | 'topK' | 'topP' | 'minP' | 'typicalP' | 'epsilonCutoff' | 'etaCutoff'
>;

function readWarpers(fields: Fields, { compat, context, sampling, contrastive, numBeams }: ShapingSituation): Warpers {
  const number = (name: string, fallback: number) => toNumber(name, fields.get(name) ?? fallback);
  const temperature = number('temperature', 1);
  if (sampling && temperature <= 0) {
    refuse('temperature', 'a number above 0 (for greedy decoding set do_sample to false)', temperature);
  }
  const topK = toInteger('top_k', fields.get('top_k') ?? 50);
  if ((sampling || contrastive) && topK < 0) refuse('top_k', 'an integer of at least 0 (0 keeps everything)', topK);
  const topP = number('top_p', 1);
  if (sampling && topP < 0) refuse('top_p', 'a number from 0 to 1', topP);
  if (sampling && topP === 0 && compat === '4.25' && numBeams === 1) {
    refuse('top_p', 'a number above 0 (in transformers 4.25 top_p 0 leaves no token)', topP);
  }
  const minP = fields.has('min_p') ? number('min_p', 0) : null;
  if (sampling && minP !== null && (minP < 0 || minP > 1)) refuse('min_p', 'a number from 0 to 1', minP);
  const topH = fields.has('top_h') ? number('top_h', 1) : null;
  if (sampling && topH !== null && (topH <= 0 || topH > 1)) refuse('top_h', 'a number above 0 and up to 1', topH);
  const typicalP = number('typical_p', 1);
  if (sampling && typicalP <= 0) refuse('typical_p', 'a number above 0 and below 1 (1 switches it off)', typicalP);
  const epsilonCutoff = number('epsilon_cutoff', 0);
  const etaCutoff = number('eta_cutoff', 0);
  // More than all is all.
  return { temperature, topH, topK: Math.min(topK, context.vocabSize), topP, minP, typicalP, epsilonCutoff, etaCutoff };
}

function readProcessors(fields: Fields, situation: ShapingSituation): Omit<ScoreShaping, keyof Warpers> {
  const { compat, context, eosTokenIds, maxLength } = situation;
  const number = (name: string, fallback: number) => toNumber(name, fields.get(name) ?? fallback);
  const integer = (name: string, fallback: number) => toInteger(name, fields.get(name) ?? fallback);
  const boolean = (name: string) => toBoolean(name, fields.get(name) ?? false);
  const encoderNoRepeatNgramSize = integer('encoder_no_repeat_ngram_size', 0);
  if (compat === '4.25' && encoderNoRepeatNgramSize > 0) {
    refuse('encoder_no_repeat_ngram_size', 'an encoder-decoder model in transformers 4.25', encoderNoRepeatNgramSize);
  }
  const negative = fields.get('negative_prompt_ids');
  const forcedBos = fields.get('forced_bos_token_id');
  const shaping = {
    guidanceScale: number('guidance_scale', 1),
    negativePromptIds:
      negative === undefined
        ? null
        : toTokenIds('negative_prompt_ids', negative, context.vocabSize, context.contextLength - 1),
    sequenceBias: readSequenceBias(fields, context),
    diversityPenalty: number('diversity_penalty', 0),
    encoderRepetitionPenalty: positive(fields, 'encoder_repetition_penalty'),
    repetitionPenalty: positive(fields, 'repetition_penalty'),
    presencePenalty: number('presence_penalty', 0),
    frequencyPenalty: number('frequency_penalty', 0),
    noRepeatNgramSize: integer('no_repeat_ngram_size', 0),
    encoderNoRepeatNgramSize,
    badWordsIds: readBadWords(fields, context, eosTokenIds, compat === '4.25'),
    minLength: readMinLength(fields, context),
    allowedTokens: readAllowedTokens(fields, context),
    forcedBosTokenId: forcedBos === undefined ? null : toTokenId('forced_bos_token_id', forcedBos, context.vocabSize),
    forcedEos: readForcedEos(fields, context, maxLength),
    removeInvalidValues: boolean('remove_invalid_values'),
    exponentialDecay: readExponentialDecay(fields),
    suppressTokens: readIdList(fields, 'suppress_tokens', context),
    beginSuppressTokens: readIdList(fields, 'begin_suppress_tokens', context),
    forcedDecoderIds: readForcedDecoderIds(fields, context),
    watermark: readWatermark(fields, context),
    renormalizeLogits: boolean('renormalize_logits'),
  };
  if (compat === '5.18') refuseSuppressedForcedTokens(shaping);
  return shaping;
}

function positive(fields: Fields, name: string): number {
  const value = toNumber(name, fields.get(name) ?? 1);
  if (value <= 0) refuse(name, 'a number above 0 (1 is neutral)', value);
  return value;
}

function readMinLength(fields: Fields, context: ParameterContext): number {
  const minLength = toInteger('min_length', fields.get('min_length') ?? 0);
  const minNewTokens = fields.get('min_new_tokens');
  return minNewTokens === undefined
    ? Math.max(0, minLength)
    : Math.max(0, context.promptLength + toInteger('min_new_tokens', minNewTokens));
}

function readForcedEos(fields: Fields, context: ParameterContext, maxLength: number): ScoreShaping['forcedEos'] {
  const name = 'forced_eos_token_id';
  const value = fields.get(name);
  if (value === undefined) return null;
  const tokens = Array.isArray(value)
    ? toTokenIds(name, value, context.vocabSize, LIMITS.wordLength)
    : [toTokenId(name, value, context.vocabSize)];
  return { tokens, atLength: maxLength - 1 };
}

function readExponentialDecay(fields: Fields): ScoreShaping['exponentialDecay'] {
  const name = 'exponential_decay_length_penalty';
  const value = fields.get(name);
  if (value === undefined) return null;
  if (!Array.isArray(value) || value.length !== 2) refuse(name, 'a pair [start, factor]', value);
  return { start: toInteger(name, value[0]), factor: toNumber(name, value[1]) };
}

function readForcedDecoderIds(fields: Fields, context: ParameterContext): ScoreShaping['forcedDecoderIds'] {
  const name = 'forced_decoder_ids';
  const value = fields.get(name);
  if (value === undefined) return [];
  return toList(name, value, 'a list of pairs [position, token id]', context.contextLength).map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) refuse(name, 'pairs [position, token id]', pair);
    return [toInteger(name, pair[0], { min: 0 }), toTokenId(name, pair[1], context.vocabSize)] as const;
  });
}

function readAllowedTokens(fields: Fields, context: ParameterContext): AllowedTokens | null {
  const name = 'prefix_allowed_tokens_fn';
  const value = fields.get(name);
  if (value === undefined) return null;
  const form = toFields(name, value);
  const pattern = form.get('regex');
  if (pattern !== undefined) {
    refuseStrangeFields(name, form, ['regex']);
    if (typeof pattern !== 'string') refuse(name, 'regex to be a text', pattern);
    if (pattern.length > LIMITS.patternLength) {
      throw new ParameterError(
        'limit_exceeded',
        [name],
        `${name}: a pattern may have at most ${LIMITS.patternLength} characters, got ${pattern.length}`,
      );
    }
    // Refuses what is no pattern, or too large a one, here and not when decoding.
    byteAutomaton(parsePattern(pattern));
    return { type: 'regex', pattern, vocabSize: context.vocabSize };
  }
  refuseStrangeFields(name, form, ['allowed_sequences', 'after_prompt']);
  const sequences = toList(
    name,
    form.get('allowed_sequences'),
    'an object {"allowed_sequences": [[token ids], …], "after_prompt": true} or {"regex": "…"}',
    LIMITS.listEntries,
  ).map((sequence) => toTokenIds(name, sequence, context.vocabSize, context.contextLength));
  if (sequences.length === 0) refuse(name, 'at least one allowed sequence', value);
  limitTotal(name, sequences);
  return { type: 'sequences', sequences, afterPrompt: toBoolean(name, form.get('after_prompt') ?? false) };
}

function readWatermark(fields: Fields, context: ParameterContext): WatermarkConfig | null {
  const name = 'watermarking_config';
  const value = fields.get(name);
  if (value === undefined) return null;
  const form = toFields(name, value);
  if (form.has('ngram_len') || form.has('keys')) {
    throw new ParameterError(
      'unsupported_parameter',
      [name],
      `${name}: the SynthID scheme (ngram_len, keys) is not offered; use the green-list scheme ` +
        '(greenlist_ratio, bias, hashing_key, seeding_scheme, context_width)',
    );
  }
  refuseStrangeFields(name, form, ['greenlist_ratio', 'bias', 'hashing_key', 'seeding_scheme', 'context_width']);
  const seedingScheme = form.get('seeding_scheme') ?? 'lefthash';
  if (seedingScheme !== 'lefthash' && seedingScheme !== 'selfhash') {
    refuse(name, 'seeding_scheme "lefthash" or "selfhash"', seedingScheme);
  }
  const greenlistRatio = toNumber(`${name}.greenlist_ratio`, form.get('greenlist_ratio') ?? 0.25);
  if (greenlistRatio <= 0 || greenlistRatio >= 1) {
    refuse(name, 'greenlist_ratio to be above 0 and below 1', greenlistRatio);
  }
  if (seedingScheme === 'selfhash' && context.vocabSize < 40) {
    refuse(name, 'a vocabulary of at least 40 for selfhash', context.vocabSize);
  }
  return {
    greenlistRatio,
    bias: toNumber(`${name}.bias`, form.get('bias') ?? 2),
    hashingKey: toInteger(`${name}.hashing_key`, form.get('hashing_key') ?? 15485863, { min: 0 }),
    seedingScheme,
    contextWidth: toInteger(`${name}.context_width`, form.get('context_width') ?? 1, {
      min: 1,
      max: context.contextLength,
    }),
  };
}

/** Era 5.18 refuses to force a token that is suppressed. */
function refuseSuppressedForcedTokens(
  shaping: Pick<ScoreShaping, 'suppressTokens' | 'forcedEos' | 'forcedBosTokenId'>,
): void {
  const suppressed = new Set(shaping.suppressTokens);
  if (suppressed.size === 0) return;
  const forced = [
    ['forced_eos_token_id', shaping.forcedEos?.tokens ?? []],
    ['forced_bos_token_id', shaping.forcedBosTokenId === null ? [] : [shaping.forcedBosTokenId]],
  ] as const;
  for (const [name, tokens] of forced) {
    if (tokens.length > 0 && tokens.every((token) => suppressed.has(token))) {
      throw new ParameterError(
        'invalid_parameter',
        ['suppress_tokens', name],
        `suppress_tokens: expected to leave what ${name} forces possible, got all of ${name} (${tokens.join(', ')}) suppressed`,
      );
    }
  }
}
