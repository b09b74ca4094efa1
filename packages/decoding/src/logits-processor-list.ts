/**
 * The ordered chain of processors and warpers, as each era orders it (`_get_logits_processor` of transformers 4.24 and
 * 5.18.0). Greedy decoding and sampling send raw logits through it, the beam searches log-probabilities.
 *
 * Processors and warpers are functions that change one row of scores in place.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig, ScoreShaping } from './generate-config.ts';
import { logSoftmaxInPlace } from './numerics/log-softmax.ts';
import { type AllowedNext, keepAllowed } from './processors/allowed-tokens.ts';
import { favourEos } from './processors/exponential-decay.ts';
import { guide } from './processors/guidance.ts';
import { penaliseChosen } from './processors/hamming-diversity.ts';
import { forbidRepeatedNgrams } from './processors/no-repeat-ngram.ts';
import { penaliseOccurrence } from './processors/occurrence-penalty.ts';
import { removeInvalidValues } from './processors/remove-invalid.ts';
import { penaliseRepetition } from './processors/repetition-penalty.ts';
import { biasSequences, forbidWords } from './processors/sequence-bias.ts';
import { force, suppress } from './processors/suppress.ts';
import { addWatermark } from './processors/watermark.ts';
import { cutBelowEpsilon, cutBelowEta } from './warpers/cutoff.ts';
import { keepMinP } from './warpers/min-p.ts';
import { type Warper, warpPossibleTokens } from './warpers/possible-tokens.ts';
import { scaleByTemperature } from './warpers/temperature.ts';
import { keepTopH } from './warpers/top-h.ts';
import { keepTopK } from './warpers/top-k.ts';
import { keepTopP } from './warpers/top-p.ts';
import { keepTypical } from './warpers/typical-p.ts';

/** One row on its way through the chain. */
export interface LogitsRow {
  /** Changed in place. */
  readonly scores: Float32Array;
  /** Prompt and generated tokens so far. */
  readonly sequence: readonly TokenId[];
  /** Raw logits of the unconditional branch, with `guidance_scale`. */
  readonly unconditional?: Float32Array;
  /** Tokens that earlier groups chose at this step, in group beam search. */
  readonly chosenByEarlierGroups?: readonly TokenId[];
}

/** Changes rows in place. The rows of one call are the beams of one search (of one group), or a single row. */
export type LogitsProcessor = (rows: readonly LogitsRow[]) => void;

/** A configuration's links in order. */
export interface LogitsProcessorList {
  readonly process: LogitsProcessor;
  /** What follows `process`: warpers when sampling. Era 4.25 adds the beam score before it, era 5.18 after it. */
  readonly warp: LogitsProcessor;
}

/** Named by the parameter it serves, so that a custom processor can take its place. */
type NamedProcessor = readonly [parameter: string, processor: LogitsProcessor];

/** The chain of a configuration for a prompt. `allowedNext` stands for `prefix_allowed_tokens_fn`. */
export function buildLogitsProcessors(
  config: GenerateConfig,
  prompt: readonly TokenId[],
  allowedNext: AllowedNext | null,
): LogitsProcessorList {
  const is518 = config.compat === '5.18';
  const processors = withCustomProcessors(
    is518 ? processorsOf518(config, prompt, allowedNext) : processorsOf425(config, prompt, allowedNext),
    config,
    prompt,
  );
  const normalise: readonly LogitsProcessor[] = config.renormalizeLogits
    ? [each(({ scores }) => logSoftmaxInPlace(scores))]
    : [];
  const watermark = config.watermark;
  const mark: readonly LogitsProcessor[] =
    watermark === null ? [] : [each(({ scores, sequence }) => addWatermark(scores, sequence, watermark))];
  const warpers = config.doSample ? [warpWith(warpersOf(config))] : [];
  return {
    process: inOrder(is518 ? processors : [...processors, ...normalise]),
    warp: inOrder(is518 || config.doSample ? [...warpers, ...mark, ...normalise] : []),
  };
}

/** Apply the whole chain. */
export function applyLogitsProcessors(processors: LogitsProcessorList, rows: readonly LogitsRow[]): void {
  processors.process(rows);
  processors.warp(rows);
}

function processorsOf518(
  config: GenerateConfig,
  prompt: readonly TokenId[],
  allowedNext: AllowedNext | null,
): readonly NamedProcessor[] {
  const processor = buildProcessors(config, prompt, allowedNext);
  return [
    processor.guidance,
    processor.sequenceBias,
    processor.hammingDiversity,
    processor.encoderRepetitionPenalty,
    processor.repetitionPenalty,
    processor.occurrencePenalty,
    processor.noRepeatNgram,
    processor.encoderNoRepeatNgram,
    processor.badWords,
    processor.minLength,
    processor.allowedTokens,
    processor.forcedBos,
    processor.forcedEos,
    processor.removeInvalid,
    processor.exponentialDecay,
    processor.suppressTokens,
    processor.beginSuppressTokens,
  ].filter((named) => named !== null);
}

function processorsOf425(
  config: GenerateConfig,
  prompt: readonly TokenId[],
  allowedNext: AllowedNext | null,
): readonly NamedProcessor[] {
  const processor = buildProcessors(config, prompt, allowedNext);
  return [
    processor.hammingDiversity,
    processor.repetitionPenalty,
    processor.occurrencePenalty,
    processor.noRepeatNgram,
    processor.badWords,
    processor.minLength,
    processor.allowedTokens,
    processor.forcedBos,
    processor.forcedEos,
    processor.removeInvalid,
    processor.exponentialDecay,
    processor.suppressTokens,
    processor.beginSuppressTokens,
    processor.forcedDecoderIds,
  ].filter((named) => named !== null);
}

/** Every processor of `config`, null where it would do nothing. */
function buildProcessors(config: GenerateConfig, prompt: readonly TokenId[], allowedNext: AllowedNext | null) {
  const { compat, eosTokenIds, forcedBosTokenId, forcedEos, exponentialDecay, sequenceBias, badWordsIds } = config;
  const { repetitionPenalty, encoderRepetitionPenalty, noRepeatNgramSize, encoderNoRepeatNgramSize } = config;
  const { presencePenalty, frequencyPenalty } = config;
  const processor = (active: boolean, parameter: string, change: (row: LogitsRow) => void): NamedProcessor | null =>
    active ? [parameter, each(change)] : null;
  const decayFrom = prompt.length + (exponentialDecay?.start ?? 0);
  // Era 4.25 lets generation begin after the last forced token, and adds that token's absolute position to get there.
  const firstFree =
    prompt.length +
    (prompt.length > 1 || forcedBosTokenId === null ? 0 : 1) +
    (config.forcedDecoderIds.at(-1)?.[0] ?? 0);
  const forcedAt = new Map(config.forcedDecoderIds);
  const promptSet = [...new Set(prompt)];
  return {
    guidance: processor(config.guidanceScale !== 1, 'guidance_scale', ({ scores, unconditional }) => {
      if (unconditional !== undefined) guide(scores, unconditional, config.guidanceScale);
    }),
    sequenceBias: processor(sequenceBias.length > 0, 'sequence_bias', ({ scores, sequence }) =>
      biasSequences(scores, sequence, sequenceBias),
    ),
    hammingDiversity: processor(config.diversityPenalty > 0, 'diversity_penalty', ({ scores, chosenByEarlierGroups }) =>
      penaliseChosen(scores, chosenByEarlierGroups ?? [], config.diversityPenalty),
    ),
    encoderRepetitionPenalty: processor(encoderRepetitionPenalty !== 1, 'encoder_repetition_penalty', ({ scores }) =>
      penaliseRepetition(scores, promptSet, 1 / encoderRepetitionPenalty),
    ),
    repetitionPenalty: processor(repetitionPenalty !== 1, 'repetition_penalty', ({ scores, sequence }) =>
      penaliseRepetition(scores, sequence, repetitionPenalty),
    ),
    occurrencePenalty: processor(
      presencePenalty !== 0 || frequencyPenalty !== 0,
      'presence_penalty',
      ({ scores, sequence }) =>
        penaliseOccurrence(scores, sequence.slice(prompt.length), presencePenalty, frequencyPenalty),
    ),
    noRepeatNgram: processor(noRepeatNgramSize > 0, 'no_repeat_ngram_size', ({ scores, sequence }) =>
      forbidRepeatedNgrams(scores, sequence, sequence, noRepeatNgramSize),
    ),
    encoderNoRepeatNgram: processor(
      encoderNoRepeatNgramSize > 0,
      'encoder_no_repeat_ngram_size',
      ({ scores, sequence }) => forbidRepeatedNgrams(scores, sequence, prompt, encoderNoRepeatNgramSize),
    ),
    badWords: processor(badWordsIds.length > 0, 'bad_words_ids', ({ scores, sequence }) =>
      forbidWords(scores, sequence, badWordsIds),
    ),
    minLength: processor(config.minLength > 0, 'min_length', ({ scores, sequence }) => {
      if (sequence.length < config.minLength) suppress(scores, eosTokenIds);
    }),
    allowedTokens: ((): NamedProcessor | null =>
      allowedNext === null
        ? null
        : ['prefix_allowed_tokens_fn', (rows) => keepAllowed(rows, allowedNext, compat === '5.18')])(),
    forcedBos: processor(forcedBosTokenId !== null, 'forced_bos_token_id', ({ scores, sequence }) => {
      if (sequence.length === 1 && forcedBosTokenId !== null) force(scores, [forcedBosTokenId]);
    }),
    forcedEos: processor(forcedEos !== null, 'forced_eos_token_id', ({ scores, sequence }) => {
      if (sequence.length === forcedEos?.atLength) force(scores, forcedEos.tokens);
    }),
    removeInvalid: processor(config.removeInvalidValues, 'remove_invalid_values', ({ scores }) =>
      removeInvalidValues(scores, compat === '5.18'),
    ),
    exponentialDecay: processor(
      exponentialDecay !== null,
      'exponential_decay_length_penalty',
      ({ scores, sequence }) => {
        const excess = sequence.length - decayFrom;
        if (excess > 0 && exponentialDecay !== null) {
          favourEos(scores, eosTokenIds, exponentialDecay.factor, excess, compat);
        }
      },
    ),
    suppressTokens: processor(config.suppressTokens.length > 0, 'suppress_tokens', ({ scores }) =>
      suppress(scores, config.suppressTokens),
    ),
    beginSuppressTokens: processor(
      config.beginSuppressTokens.length > 0,
      'begin_suppress_tokens',
      ({ scores, sequence }) => {
        if (sequence.length === firstFree) suppress(scores, config.beginSuppressTokens);
      },
    ),
    forcedDecoderIds: processor(forcedAt.size > 0, 'forced_decoder_ids', ({ scores, sequence }) => {
      const token = forcedAt.get(sequence.length);
      if (token !== undefined) force(scores, [token]);
    }),
  };
}

/** The warpers that act, whether or not the configuration samples. */
function warpersOf(config: GenerateConfig): readonly Warper[] {
  const keep = tokensToKeep(config);
  const { temperature, topH, topK, topP, minP, typicalP, epsilonCutoff, etaCutoff } = config;
  const warper = (active: boolean, warp: Warper): readonly Warper[] => (active ? [warp] : []);
  const scale = warper(temperature !== 1, (scores) => scaleByTemperature(scores, temperature));
  const filters = [
    ...(topH === null ? [] : warper(true, (scores) => keepTopH(scores, topH))),
    ...warper(topK !== 0, (scores) => keepTopK(scores, Math.max(topK, keep))),
    ...warper(topP < 1, (scores) => keepTopP(scores, topP, keep)),
    ...(minP === null ? [] : warper(true, (scores) => keepMinP(scores, minP, keep))),
    ...warper(typicalP < 1, (scores) => keepTypical(scores, typicalP, keep)),
    ...warper(epsilonCutoff > 0 && epsilonCutoff < 1, (scores) => cutBelowEpsilon(scores, epsilonCutoff, keep)),
    ...warper(etaCutoff > 0 && etaCutoff < 1, (scores) => cutBelowEta(scores, etaCutoff, keep)),
  ];
  return config.filterBeforeTemperature ? [...filters, ...scale] : [...scale, ...filters];
}

function warpWith(warpers: readonly Warper[]): LogitsProcessor {
  return each(({ scores }) => warpPossibleTokens(scores, warpers));
}

/** How many tokens a warper must leave: with beams, enough to go on when some of them are EOS. */
function tokensToKeep({ compat, numBeams, eosTokenIds }: GenerateConfig): number {
  if (numBeams === 1) return 1;
  return compat === '4.25' ? 2 : Math.max(eosTokenIds.length, 1) + 1;
}

/** Custom processors take the place of the built-in of their kind, the others follow in their order. */
function withCustomProcessors(
  processors: readonly NamedProcessor[],
  config: GenerateConfig,
  prompt: readonly TokenId[],
): readonly LogitsProcessor[] {
  const custom = new Map(
    config.customProcessors.map(({ type, shaping }) => [
      type,
      customProcessor({ ...config, ...NEUTRAL, ...shaping }, prompt),
    ]),
  );
  const names = new Set(processors.map(([name]) => name));
  const builtIn = processors.map(([name, processor]) => custom.get(name) ?? processor);
  const added = [...custom].filter(([name]) => !names.has(name)).map(([, processor]) => processor);
  return [...builtIn, ...added];
}

function customProcessor(config: GenerateConfig, prompt: readonly TokenId[]): LogitsProcessor {
  const processors = processorsOf518(config, prompt, null).map(([, processor]) => processor);
  return inOrder([...processors, warpWith(warpersOf(config))]);
}

/** Every parameter that shapes scores, switched off. */
const NEUTRAL: ScoreShaping = {
  guidanceScale: 1,
  negativePromptIds: null,
  sequenceBias: [],
  diversityPenalty: 0,
  encoderRepetitionPenalty: 1,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  noRepeatNgramSize: 0,
  encoderNoRepeatNgramSize: 0,
  badWordsIds: [],
  minLength: 0,
  allowedTokens: null,
  forcedBosTokenId: null,
  forcedEos: null,
  removeInvalidValues: false,
  exponentialDecay: null,
  suppressTokens: [],
  beginSuppressTokens: [],
  forcedDecoderIds: [],
  temperature: 1,
  topH: null,
  topK: 0,
  topP: 1,
  minP: null,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
  watermark: null,
  renormalizeLogits: false,
};

function each(change: (row: LogitsRow) => void): LogitsProcessor {
  return (rows) => rows.forEach(change);
}

function inOrder(processors: readonly LogitsProcessor[]): LogitsProcessor {
  return (rows) => {
    for (const processor of processors) processor(rows);
  };
}
