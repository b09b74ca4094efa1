import type { ParameterGroup } from './parameter-record.ts';

/** Headings of the groups in help, documentation and forms, in this order. */
export const PARAMETER_GROUP_TITLES: Readonly<Record<ParameterGroup, string>> = {
  length: 'Length',
  sampling: 'Sampling',
  beams: 'Beam search',
  search: 'Contrastive search, DoLa, prompt lookup, guidance',
  processors: 'Repetition and scores',
  constraints: 'Forbidden and required words',
  stopping: 'Stopping',
  output: 'Output',
  pipeline: 'Pipeline of 2022',
  other: 'Other',
};
