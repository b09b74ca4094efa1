/** Defaults of an API beside those of `generate`, and the rules by which it samples. */

/** Enables or disables sampling if a parameter has a certain value. */
export interface SamplingRule {
  readonly parameter: string;
  readonly is: 'given' | 'equal to' | 'other than' | 'above' | 'below';
  readonly value?: number;
  readonly sample: boolean;
}

type Scalar = string | number | boolean;

export interface ParameterDefaults {
  /** Number of new tokens, reduced to the free context; null: the default of `generate`. */
  readonly newTokens: number | null;
  /** `do_sample`, unless a rule says otherwise. */
  readonly sample: boolean;
  /** The first matching rule applies. */
  readonly rules: readonly SamplingRule[];
  /** Whether a request without any parameters samples, whatever `sample` says. */
  readonly samplesWithoutParameters: boolean;
  /** Parameters that shape the distribution when sampling; those not named have the defaults of `generate`. */
  readonly whenSampling: Readonly<Record<string, Scalar>>;
  /** Other parameters of `generate` that differ from its defaults. */
  readonly fields: Readonly<Record<string, Scalar>>;
}

/** Modes of `generate` that exclude sampling: a request for one of them is not made to sample by any API. */
export const NEVER_SAMPLED: readonly SamplingRule[] = [
  { parameter: 'penalty_alpha', is: 'above', value: 0, sample: false },
  { parameter: 'num_beam_groups', is: 'above', value: 1, sample: false },
  { parameter: 'constraints', is: 'given', sample: false },
  { parameter: 'force_words', is: 'given', sample: false },
  { parameter: 'force_words_ids', is: 'given', sample: false },
];

export interface ChosenDefaults {
  /** Whether the request samples: by its own `do_sample`, or by the rules. */
  readonly sampling: boolean;
  /** Values of parameters, for those that the request does not give. */
  readonly fields: Readonly<Record<string, Scalar>>;
}

/**
 * The defaults for one request. `given`: the parameters that the caller gave, under the names of `generate`, those of its
 * `generation_config` among them. `withoutParameters`: the request has no `parameters` object.
 */
export function chooseDefaults(
  defaults: ParameterDefaults,
  given: ReadonlyMap<string, unknown>,
  withoutParameters = false,
): ChosenDefaults {
  const sampling = (given.get('do_sample') ?? samplesByDefault(defaults, given, withoutParameters)) === true;
  const fields = {
    ...defaults.fields,
    ...(sampling ? { ...defaults.whenSampling, do_sample: true } : {}),
    ...(defaults.newTokens === null ? {} : { max_new_tokens: defaults.newTokens }),
  };
  return { sampling, fields };
}

function samplesByDefault(
  { sample, rules, samplesWithoutParameters }: ParameterDefaults,
  given: ReadonlyMap<string, unknown>,
  withoutParameters: boolean,
): boolean {
  if (withoutParameters) return samplesWithoutParameters;
  return [...NEVER_SAMPLED, ...rules].find((rule) => holds(rule, given.get(rule.parameter)))?.sample ?? sample;
}

function holds({ is, value: bound = 0 }: SamplingRule, value: unknown): boolean {
  if (value === undefined) return false;
  if (is === 'given') return true;
  if (typeof value !== 'number') return false;
  if (is === 'above') return value > bound;
  if (is === 'below') return value < bound;
  return (is === 'equal to') === (value === bound);
}
