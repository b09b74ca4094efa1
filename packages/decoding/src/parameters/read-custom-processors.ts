import type { TokenId } from '@gptj-cloud/model';
import type { CompatVersion, CustomProcessor, ScoreShaping } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import { readShaping } from './read-shaping.ts';
import { type Fields, refuse, refuseStrangeFields, toFields, toList } from './read-value.ts';

/** Wire names that a `logits_processor` entry may carry, and the field of `ScoreShaping` each one sets. */
const PROCESSORS: readonly (readonly [type: string, field: keyof ScoreShaping])[] = [
  ['sequence_bias', 'sequenceBias'],
  ['encoder_repetition_penalty', 'encoderRepetitionPenalty'],
  ['repetition_penalty', 'repetitionPenalty'],
  ['no_repeat_ngram_size', 'noRepeatNgramSize'],
  ['encoder_no_repeat_ngram_size', 'encoderNoRepeatNgramSize'],
  ['bad_words_ids', 'badWordsIds'],
  ['min_length', 'minLength'],
  ['forced_bos_token_id', 'forcedBosTokenId'],
  ['forced_eos_token_id', 'forcedEos'],
  ['remove_invalid_values', 'removeInvalidValues'],
  ['exponential_decay_length_penalty', 'exponentialDecay'],
  ['suppress_tokens', 'suppressTokens'],
  ['begin_suppress_tokens', 'beginSuppressTokens'],
];

const WARPERS: readonly (readonly [type: string, field: keyof ScoreShaping])[] = [
  ['temperature', 'temperature'],
  ['top_h', 'topH'],
  ['top_k', 'topK'],
  ['top_p', 'topP'],
  ['min_p', 'minP'],
  ['typical_p', 'typicalP'],
  ['epsilon_cutoff', 'epsilonCutoff'],
  ['eta_cutoff', 'etaCutoff'],
];

const TYPES: ReadonlyMap<string, keyof ScoreShaping> = new Map([...PROCESSORS, ...WARPERS]);

interface Situation {
  readonly compat: CompatVersion;
  readonly context: ParameterContext;
  readonly eosTokenIds: readonly TokenId[];
  readonly maxLength: number;
  readonly numBeams: number;
}

/**
 * `logits_processor`: an ordered list of `{"type": "repetition_penalty", "value": 1.2}`, where `type` is the name of a
 * parameter and `value` has that parameter's form. Warpers given here act in every mode.
 */
export function readCustomProcessors(fields: Fields, situation: Situation): readonly CustomProcessor[] {
  const name = 'logits_processor';
  const list = toList(name, fields.get(name) ?? [], 'a list of objects {"type", "value"}', LIMITS.customProcessors);
  const processors = list.map((entry) => {
    const form = toFields(name, entry);
    refuseStrangeFields(name, form, ['type', 'value']);
    const type = form.get('type');
    const field = typeof type === 'string' ? TYPES.get(type) : undefined;
    if (typeof type !== 'string' || field === undefined)
      refuse(name, `a type among ${[...TYPES.keys()].join(', ')}`, type);
    if (!form.has('value')) refuse(name, `a value for ${type}`, entry);
    const shaping = readShaping(new Map([[type, form.get('value')]]), {
      ...situation,
      sampling: true,
      contrastive: false,
    });
    return { type, shaping: { [field]: shaping[field] } };
  });
  const types = processors.map((processor) => processor.type);
  const repeated = types.find((type, index) => types.indexOf(type) !== index);
  // Era 4.25 refuses a processor that the parameters ask for as well; later the list's takes its place.
  const builtIn = situation.compat === '4.25' ? PROCESSORS.map(([type]) => type) : [];
  const doubled = types.find((type) => builtIn.includes(type) && fields.has(type));
  if (repeated !== undefined || doubled !== undefined) {
    throw new ParameterError(
      'invalid_parameter',
      [name],
      `${name}: expected each processor once, got ${repeated ?? doubled} twice`,
    );
  }
  return processors;
}
