import { ParameterError } from '../parameter-error.ts';
import type { ModelContext } from './parameter-context.ts';
import { type Fields, refuse, refuseUnknownFields, toFields, toInteger, toNumber } from './read-value.ts';

/** `watermarking_config`, the green-list scheme of Kirchenbauer et al. (arXiv 2301.10226, 2306.04634). */
export interface WatermarkConfig {
  readonly greenlistRatio: number;
  readonly bias: number;
  readonly hashingKey: number;
  readonly seedingScheme: 'lefthash' | 'selfhash';
  readonly contextWidth: number;
}

export function readWatermark(fields: Fields, context: ModelContext): WatermarkConfig | null {
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
  refuseUnknownFields(name, form, ['greenlist_ratio', 'bias', 'hashing_key', 'seeding_scheme', 'context_width']);
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
