import { each } from '../../logits-processor.ts';
import { penaliseChosen } from '../../processors/hamming-diversity.ts';
import { numberParameter } from '../define-parameter.ts';
import type { ParameterSituation } from '../parameter-record.ts';
import { BOTH_VERSIONS, type ParameterRecord, WITH_BEAMS, WITH_GROUPS } from '../parameter-record.ts';
import { type Fields, refuse } from '../read-value.ts';

/** Parameters of beam search. */
export interface BeamConfig {
  readonly numBeams: number;
  readonly numBeamGroups: number;
  readonly diversityPenalty: number;
  readonly earlyStopping: boolean | 'never';
  readonly lengthPenalty: number;
}

export const BEAM_PARAMETERS: readonly ParameterRecord[] = [
  {
    ...numberParameter({
      name: 'num_beams',
      group: 'beams',
      versions: BOTH_VERSIONS,
      help: 'Number of beams; above 1 the search keeps this many partial outputs and returns the best.',
      type: 'integer',
      min: 1,
      default: 1,
      ignored: ({ mode, compat }) =>
        mode === 'contrastive' && compat === '4.25' ? 'contrastive search has no beams' : null,
      toConfig: () => ({}),
    }),
    read: (_fields, { numBeams }) => ({ numBeams }),
  },
  {
    ...numberParameter({
      name: 'num_beam_groups',
      group: 'beams',
      versions: BOTH_VERSIONS,
      help: 'Splits the beams into groups that differ from each other (group beam search).',
      type: 'integer',
      min: 1,
      default: 1,
      acts: WITH_GROUPS,
      toConfig: () => ({}),
    }),
    read: (_fields, { mode, numBeamGroups }) => ({ numBeamGroups: mode === 'group' ? numBeamGroups : 1 }),
  },
  numberParameter({
    name: 'diversity_penalty',
    group: 'beams',
    versions: BOTH_VERSIONS,
    help: 'Subtracted from the score of a token for each time that an earlier group chose it at the same step.',
    type: 'number',
    default: 0,
    acts: WITH_GROUPS,
    toConfig: (diversityPenalty, { mode }) => ({ diversityPenalty: mode === 'group' ? diversityPenalty : 0 }),
    processor: ({ diversityPenalty }) =>
      diversityPenalty <= 0
        ? null
        : each(({ scores, chosenByEarlierGroups }) =>
            penaliseChosen(scores, chosenByEarlierGroups ?? [], diversityPenalty),
          ),
  }),
  numberParameter({
    name: 'length_penalty',
    group: 'beams',
    versions: BOTH_VERSIONS,
    help: 'Exponent of the length that divides the score of a beam: above 0 favours long outputs, below 0 short ones.',
    type: 'number',
    default: 1,
    acts: WITH_BEAMS,
    toConfig: (lengthPenalty) => ({ lengthPenalty }),
  }),
  {
    name: 'early_stopping',
    group: 'beams',
    versions: BOTH_VERSIONS,
    help: 'Ends the search as soon as num_beams outputs are complete (true), by a heuristic (false), or only when no better output is possible ("never").',
    value: { type: 'choice', choices: [true, false, 'never'] },
    default: false,
    acts: WITH_BEAMS,
    read: (fields, situation) => ({ earlyStopping: readEarlyStopping(fields, situation) }),
  },
];

function readEarlyStopping(fields: Fields, { compat }: ParameterSituation): boolean | 'never' {
  const value = fields.get('early_stopping') ?? false;
  if (compat === '4.25') {
    if (typeof value === 'object') refuse('early_stopping', 'true or false', value);
    return Boolean(value);
  }
  if (typeof value !== 'boolean' && value !== 'never') refuse('early_stopping', 'true, false or "never"', value);
  return value;
}
