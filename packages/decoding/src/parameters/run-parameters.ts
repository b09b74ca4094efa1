/**
 * The parameters of a run of the GPT-J pipeline of 2022: those of `generate`, and five of its own. The server parses runs
 * with this file, and so does the form of the dashboard, so that both say the same.
 */
import type { CompatVersion, GenerateConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { describeParameters, describeRecords, type ParameterDescription } from './describe-parameters.ts';
import { chooseDefaults, type ParameterDefaults } from './parameter-defaults.ts';
import { BOTH_VERSIONS, type ParameterRecord } from './parameter-record.ts';
import type { ParametersForPrompt } from './parse-generate-parameters.ts';
import { type Fields, toBoolean, toInteger } from './read-value.ts';

/** A run samples, unless it names beams. */
export const RUN_DEFAULTS: ParameterDefaults = {
  newTokens: null,
  sample: true,
  rules: [{ parameter: 'num_beams', is: 'given', sample: false }],
  samplesWithoutParameters: true,
  whenSampling: {},
  fields: {},
};

/** The names that the pipeline reads itself; all others go to `generate`. */
const PIPELINE_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'response_length',
    group: 'pipeline',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Number of tokens to generate, exactly: sets min_length and max_length to the prompt and this many.',
    value: { type: 'integer', min: 0 },
  },
  {
    name: 'include_input',
    group: 'pipeline',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Begins the text of the result with the prompt.',
    value: { type: 'boolean' },
    default: false,
  },
  {
    name: 'remove_input',
    group: 'pipeline',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'The opposite of include_input, which it overrides.',
    value: { type: 'boolean' },
    default: true,
  },
  {
    name: 'penalty',
    group: 'pipeline',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Another name of repetition_penalty, which it overrides.',
    value: { type: 'number', above: 0 },
  },
  {
    name: 'trim_stop',
    group: 'pipeline',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'Cuts the text at the beginning of a stop string, which generate leaves in.',
    value: { type: 'boolean' },
    default: false,
  },
];
const PIPELINE_NAMES: ReadonlySet<string> = new Set(PIPELINE_PARAMETERS.map(({ name }) => name));

/** Lengths that must fit the context together with the prompt: the source adds the prompt's length to all three. */
const LENGTHS = ['response_length', 'max_length', 'min_length'] as const;
/** The source refused `return_dict_in_generate` and `output_scores`, too, because it could not return them. */
const UNSUPPORTED = ['attention_mask', 'output_attentions', 'output_hidden_states'] as const;
/** Results of `generate` that are returned only in the dict of `return_dict_in_generate`. */
const SCORES = ['output_scores', 'output_logits', 'output_beams'] as const;
const ONLY_IN_DICT: ReadonlyMap<string, string> = new Map([
  ['logprobs', 'is not in the result: it is returned with return_dict_in_generate, and in the events of a stream'],
  ['prompt_logprobs', 'is ignored: it is returned only with return_dict_in_generate'],
]);

/** The parameters that a run of a version takes, or of both versions, in the order of a form. */
export function describeRunParameters(compat?: CompatVersion): readonly ParameterDescription[] {
  const refused: ReadonlySet<string> = new Set(UNSUPPORTED);
  return [
    ...describeRecords(PIPELINE_PARAMETERS, compat),
    ...describeParameters(compat).map((one) => {
      if (refused.has(one.name)) return { ...one, effect: 'refused' as const };
      return one.name === 'return_dict_in_generate' ? withDefault(one, false) : one;
    }),
  ];
}

function withDefault(one: ParameterDescription, value: boolean): ParameterDescription {
  return { ...one, default: value, schema: { ...one.schema, default: value } };
}

/** Reads the parameters of `generate`. */
export type ReadFields = (
  fields: Readonly<Record<string, unknown>>,
  options: { readonly defaults: Readonly<Record<string, unknown>>; readonly otherNames: readonly string[] },
) => ParametersForPrompt;

export interface ParsedRunParameters {
  readonly config: GenerateConfig;
  readonly warnings: readonly string[];
  /** The text of the result begins with the prompt. */
  readonly includesInput: boolean;
  /** `trim_stop`. */
  readonly trimsStop: boolean;
  /** `return_dict_in_generate`. */
  readonly asDict: boolean;
}

/**
 * Check the parameters of a run for a prompt of a length. `given` are those of the request, `generation_config` merged,
 * without nulls. Throws `ParameterError`.
 */
export function parseRunParameters(given: Fields, promptLength: number, read: ReadFields): ParsedRunParameters {
  for (const name of UNSUPPORTED) {
    if (given.has(name)) {
      throw new ParameterError(
        'unsupported_parameter',
        [name],
        `Sorry, ${name} is not yet a supported parameter. Let us know if you want it added!`,
      );
    }
  }
  const includesInput = readIncludesInput(given);
  const asDict = readFlag(given, 'return_dict_in_generate') ?? false;
  const trimsStop = readFlag(given, 'trim_stop') ?? false;
  const fields = generateFields(given, promptLength);
  const { fields: defaults } = chooseDefaults(RUN_DEFAULTS, fields);
  const plain: Record<string, unknown> = Object.create(null);
  for (const [name, value] of fields) plain[name] = value;
  const { config, warnings } = read(plain, { defaults, otherNames: [...PIPELINE_NAMES] })(promptLength);
  return { config, warnings: [...warnings, ...dictWarnings(given, asDict)], includesInput, trimsStop, asDict };
}

/** Whether prompt and requested length fit the context; a longer prompt is refused before its parameters are read. */
export function fitsContext(given: Fields, promptLength: number, contextLength: number): boolean {
  if (promptLength >= contextLength) return false;
  return LENGTHS.every((name) => {
    const value = given.get(name);
    return typeof value !== 'number' || value + promptLength <= contextLength;
  });
}

/** The sentence of the original pipeline for what does not fit. */
export function contextExceeded(contextLength: number): string {
  return `GPT-J inference is limited to ${contextLength} tokens. Reduce the prompt length and/or the expected generation length.`;
}

/** `remove_input` overrides `include_input`, whose default is false. */
function readIncludesInput(given: Fields): boolean {
  const include = readFlag(given, 'include_input');
  const remove = readFlag(given, 'remove_input');
  return remove === null ? (include ?? false) : !remove;
}

function readFlag(given: Fields, name: string): boolean | null {
  const value = given.get(name);
  return value === undefined ? null : toBoolean(name, value);
}

function dictWarnings(given: Fields, asDict: boolean): readonly string[] {
  if (asDict) return [];
  return [...ONLY_IN_DICT].filter(([name]) => given.has(name)).map(([name, why]) => `${name} ${why}`);
}

/** The parameters under the names of `generate`. */
function generateFields(given: Fields, promptLength: number): Fields {
  const fields = new Map<string, unknown>();
  for (const [name, value] of given) if (!PIPELINE_NAMES.has(name)) fields.set(name, value);
  // Rows of scores would be collected and then left out of the result.
  if (!given.has('return_dict_in_generate') && SCORES.some((name) => given.has(name))) {
    fields.set('return_dict_in_generate', false);
  }
  const penalty = given.get('penalty');
  if (penalty !== undefined) fields.set('repetition_penalty', penalty);
  const responseLength = given.get('response_length');
  if (responseLength !== undefined) {
    // Exactly that many new tokens: below min_length the end-of-text token is forbidden.
    const length = promptLength + toInteger('response_length', responseLength, { min: 0 });
    fields.set('min_length', length);
    fields.set('max_length', length);
  }
  return fields;
}
