import type { CompatVersion } from '../generate-config.ts';
import type { ParameterRecord } from './parameter-record.ts';
import { logitsProcessorParameter } from './read-custom-processors.ts';
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
  ...PARAMETERS_WITHOUT_EFFECT,
  ...UNSUPPORTED_PARAMETERS,
];

/** The names that a version accepts. */
export function acceptedNames(
  compat: CompatVersion,
  table: readonly ParameterRecord[] = PARAMETERS,
): ReadonlySet<string> {
  return new Set(
    table
      .filter(({ versions, unsupported }) => unsupported === undefined && versions.includes(compat))
      .map(({ name }) => name),
  );
}
