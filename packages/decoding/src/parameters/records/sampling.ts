import { cutBelowEpsilon, cutBelowEta } from '../../warpers/cutoff.ts';
import { keepMinP } from '../../warpers/min-p.ts';
import { scaleByTemperature } from '../../warpers/temperature.ts';
import { keepTopH } from '../../warpers/top-h.ts';
import { keepTopK } from '../../warpers/top-k.ts';
import { keepTopP } from '../../warpers/top-p.ts';
import { keepTypical } from '../../warpers/typical-p.ts';
import { booleanParameter, numberParameter } from '../define-parameter.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord, WITH_SAMPLING } from '../parameter-record.ts';
import { refuse } from '../read-value.ts';

/** Parameters of sampling. */
export interface SamplingConfig {
  readonly doSample: boolean;
  /** Returned sequences. */
  readonly numReturnSequences: number;
  readonly temperature: number;
  readonly topH: number | null;
  /** 0 keeps every token. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number | null;
  readonly typicalP: number;
  readonly epsilonCutoff: number;
  readonly etaCutoff: number;
  /** Temperature follows the other warpers, as in GPT-J's own demo, where transformers has it before them. */
  readonly filterBeforeTemperature: boolean;
  /** null: a fresh seed per call. */
  readonly seed: number | null;
}

const isBetween0And1 = (value: number): boolean => value > 0 && value < 1;
const BELOW_1 = 'only values below 1 act';
const BETWEEN_0_AND_1 = 'only values between 0 and 1 act';

export const SAMPLING_PARAMETERS: readonly ParameterRecord[] = [
  booleanParameter({
    name: 'do_sample',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    help: 'Draws tokens at random by their probability instead of taking the most likely one.',
    default: false,
    toConfig: (doSample) => ({ doSample }),
  }),
  numberParameter({
    name: 'num_return_sequences',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    help: 'Number of continuations to return; above 1 it needs do_sample or as many beams.',
    type: 'integer',
    min: 1,
    default: 1,
    toConfig: (numReturnSequences) => ({ numReturnSequences }),
  }),
  numberParameter({
    name: 'temperature',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    help: 'Divides the scores: below 1 likely tokens gain, above 1 unlikely ones do.',
    type: 'number',
    above: 0,
    hint: 'for greedy decoding set do_sample to false',
    default: 1,
    acts: WITH_SAMPLING,
    custom: true,
    checkedWhen: ({ sampling }) => sampling,
    toConfig: (temperature) => ({ temperature }),
    warper: ({ temperature }) => (temperature === 1 ? null : (scores) => scaleByTemperature(scores, temperature)),
  }),
  numberParameter({
    name: 'top_k',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    help: 'Draws from the k most likely tokens alone; in contrastive search, the number of candidates.',
    type: 'integer',
    min: 0,
    hint: '0 keeps everything',
    default: 50,
    neutral: 0,
    acts: { sampling: true, modes: ['contrastive'], otherwise: WITH_SAMPLING.otherwise },
    custom: true,
    checkedWhen: ({ sampling, contrastive }) => sampling || contrastive,
    toConfig: (topK, { context }) => ({ topK: Math.min(topK, context.vocabSize) }),
    warper: ({ topK }, keep) => (topK === 0 ? null : (scores) => keepTopK(scores, Math.max(topK, keep))),
  }),
  numberParameter({
    name: 'top_p',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    help: 'Draws from the most likely tokens whose probabilities add up to this.',
    type: 'number',
    min: 0,
    hint: '1 keeps everything',
    default: 1,
    acts: WITH_SAMPLING,
    ignored: ({ topP }) => (topP >= 1 ? BELOW_1 : null),
    custom: true,
    checkedWhen: ({ sampling }) => sampling,
    toConfig: (topP, { sampling, compat, numBeams }) => {
      if (sampling && topP === 0 && compat === '4.25' && numBeams === 1) {
        refuse('top_p', 'a number above 0 (in transformers 4.25 top_p 0 leaves no token)', topP);
      }
      return { topP };
    },
    warper: ({ topP }, keep) => (topP < 1 ? (scores) => keepTopP(scores, topP, keep) : null),
  }),
  numberParameter({
    name: 'min_p',
    group: 'sampling',
    versions: ONLY_5_18,
    help: 'Drops tokens less likely than this share of the most likely one.',
    type: 'number',
    min: 0,
    max: 1,
    default: null,
    acts: WITH_SAMPLING,
    custom: true,
    checkedWhen: ({ sampling }) => sampling,
    toConfig: (minP) => ({ minP }),
    warper: ({ minP }, keep) => (minP === null ? null : (scores) => keepMinP(scores, minP, keep)),
  }),
  numberParameter({
    name: 'top_h',
    group: 'sampling',
    versions: ONLY_5_18,
    help: 'Keeps the most likely tokens as long as their entropy stays within this share of the whole.',
    type: 'number',
    above: 0,
    max: 1,
    default: null,
    acts: WITH_SAMPLING,
    custom: true,
    checkedWhen: ({ sampling }) => sampling,
    toConfig: (topH) => ({ topH }),
    warper: ({ topH }) => (topH === null ? null : (scores) => keepTopH(scores, topH)),
  }),
  numberParameter({
    name: 'typical_p',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    help: 'Draws from the tokens whose surprise is closest to the expected one and whose probabilities add up to this.',
    type: 'number',
    above: 0,
    hint: '1 switches it off',
    default: 1,
    acts: WITH_SAMPLING,
    ignored: ({ typicalP }) => (typicalP >= 1 ? BELOW_1 : null),
    custom: true,
    checkedWhen: ({ sampling }) => sampling,
    toConfig: (typicalP) => ({ typicalP }),
    warper: ({ typicalP }, keep) => (typicalP < 1 ? (scores) => keepTypical(scores, typicalP, keep) : null),
  }),
  numberParameter({
    name: 'epsilon_cutoff',
    group: 'sampling',
    versions: ONLY_5_18,
    help: 'Drops tokens of a lower probability than this.',
    type: 'number',
    default: 0,
    acts: WITH_SAMPLING,
    ignored: ({ epsilonCutoff }) => (isBetween0And1(epsilonCutoff) ? null : BETWEEN_0_AND_1),
    custom: true,
    toConfig: (epsilonCutoff) => ({ epsilonCutoff }),
    warper: ({ epsilonCutoff }, keep) =>
      isBetween0And1(epsilonCutoff) ? (scores) => cutBelowEpsilon(scores, epsilonCutoff, keep) : null,
  }),
  numberParameter({
    name: 'eta_cutoff',
    group: 'sampling',
    versions: ONLY_5_18,
    help: 'Drops unlikely tokens by a threshold that follows the entropy of the distribution.',
    type: 'number',
    default: 0,
    acts: WITH_SAMPLING,
    ignored: ({ etaCutoff }) => (isBetween0And1(etaCutoff) ? null : BETWEEN_0_AND_1),
    custom: true,
    toConfig: (etaCutoff) => ({ etaCutoff }),
    warper: ({ etaCutoff }, keep) =>
      isBetween0And1(etaCutoff) ? (scores) => cutBelowEta(scores, etaCutoff, keep) : null,
  }),
  booleanParameter({
    name: 'filter_before_temperature',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    own: true,
    help: "Applies temperature after the other filters, as GPT-J's own demo did; transformers applies it first.",
    default: false,
    acts: WITH_SAMPLING,
    toConfig: (filterBeforeTemperature) => ({ filterBeforeTemperature }),
  }),
  numberParameter({
    name: 'seed',
    group: 'sampling',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Makes the draws repeatable: the same request with the same seed draws the same tokens.',
    type: 'integer',
    min: 0,
    max: 2 ** 53 - 1,
    default: null,
    acts: WITH_SAMPLING,
    toConfig: (seed) => ({ seed }),
  }),
];
