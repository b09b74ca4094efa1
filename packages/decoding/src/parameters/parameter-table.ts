import type { CompatVersion } from '../generate-config.ts';
import type { ParameterRecord } from './parameter-record.ts';
import { logitsProcessorParameter } from './read-custom-processors.ts';
import { ADAPTER_PARAMETERS } from './records/adapters.ts';
import { BEAM_PARAMETERS } from './records/beams.ts';
import { CONSTRAINT_PARAMETERS } from './records/constraints.ts';
import { LENGTH_PARAMETERS } from './records/length.ts';
import { PARAMETERS_WITHOUT_EFFECT } from './records/no-effect.ts';
import { OUTPUT_PARAMETERS } from './records/output.ts';
import { PROCESSOR_PARAMETERS } from './records/processors.ts';
import { REPETITION_PARAMETERS } from './records/repetition.ts';
import { REQUEST_PARAMETERS } from './records/request.ts';
import { SAMPLING_PARAMETERS } from './records/sampling.ts';
import { SEARCH_PARAMETERS } from './records/search.ts';
import { STOPPING_PARAMETERS } from './records/stopping.ts';
import { UNSUPPORTED_PARAMETERS } from './records/unsupported.ts';

const SCORE_PARAMETERS: readonly ParameterRecord[] = [
  ...LENGTH_PARAMETERS,
  ...SAMPLING_PARAMETERS,
  ...BEAM_PARAMETERS,
  ...SEARCH_PARAMETERS,
  ...REPETITION_PARAMETERS,
  ...PROCESSOR_PARAMETERS,
  ...CONSTRAINT_PARAMETERS,
];

/**
 * Every parameter of `generate`. Sources: `GenerationMixin.generate` and `PretrainedConfig` of transformers 4.24/4.25,
 * `GenerationConfig` of 5.18.0.
 */
export const PARAMETERS: readonly ParameterRecord[] = [
  ...SCORE_PARAMETERS,
  logitsProcessorParameter(SCORE_PARAMETERS),
  ...STOPPING_PARAMETERS,
  ...OUTPUT_PARAMETERS,
  ...REQUEST_PARAMETERS,
  ...ADAPTER_PARAMETERS,
  ...PARAMETERS_WITHOUT_EFFECT,
  ...UNSUPPORTED_PARAMETERS,
];

/** The names that requests of a version may use. */
export function knownParameters(compat: CompatVersion): ReadonlySet<string> {
  return indexParameters(PARAMETERS).accepted[compat];
}

/** Index of a parameter table, built once per table. */
interface ParameterIndex {
  /** The names that each version accepts. */
  readonly accepted: Readonly<Record<CompatVersion, ReadonlySet<string>>>;
  /** The reasons of refused names. */
  readonly unsupported: ReadonlyMap<string, string>;
  readonly readers: readonly NonNullable<ParameterRecord['read']>[];
  readonly promptReaders: readonly NonNullable<ParameterRecord['readForPrompt']>[];
}

const indexes = new WeakMap<readonly ParameterRecord[], ParameterIndex>();

export function indexParameters(table: readonly ParameterRecord[]): ParameterIndex {
  const known = indexes.get(table);
  if (known !== undefined) return known;
  const accepted = (compat: CompatVersion): ReadonlySet<string> =>
    new Set(
      table
        .filter(({ versions, unsupported }) => unsupported === undefined && versions.includes(compat))
        .map(({ name }) => name),
    );
  const index: ParameterIndex = {
    accepted: { '5.18': accepted('5.18'), '4.25': accepted('4.25') },
    unsupported: new Map(
      table.flatMap(({ name, unsupported }) => (unsupported === undefined ? [] : [[name, unsupported] as const])),
    ),
    readers: table.map(({ read }) => read).filter((read) => read !== undefined),
    promptReaders: table.map(({ readForPrompt }) => readForPrompt).filter((read) => read !== undefined),
  };
  indexes.set(table, index);
  return index;
}
