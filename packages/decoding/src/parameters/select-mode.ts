import type { CompatVersion, DecodingMode } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { hasConstraints } from './read-constraints.ts';
import { type Fields, refuse, toBoolean, toInteger, toNumber } from './read-value.ts';

/** The decoding mode of a request and the parameters that select it. */
export interface Selection {
  readonly mode: DecodingMode;
  readonly doSample: boolean;
  readonly numBeams: number;
  readonly numBeamGroups: number;
  readonly numReturnSequences: number;
  readonly penaltyAlpha: number;
}

/** The decoding mode that the parameters select, as each transformers version selects it. Throws when they contradict each other. */
export function selectMode(fields: Fields, compat: CompatVersion): Selection {
  const count = (name: string) => toInteger(name, fields.get(name) ?? 1, { min: 1 });
  const doSample = toBoolean('do_sample', fields.get('do_sample') ?? false);
  const numBeams = count('num_beams');
  const numBeamGroups = count('num_beam_groups');
  const numReturnSequences = count('num_return_sequences');
  const penaltyAlpha = toNumber('penalty_alpha', fields.get('penalty_alpha') ?? 0);
  // Compat 4.25 needs top_k in the request; under 5.18 its default of 50 counts.
  const topK = toInteger('top_k', fields.get('top_k') ?? (compat === '4.25' ? 0 : 50));
  const contrastive = !doSample && penaltyAlpha > 0 && topK > 1;
  const constrained = hasConstraints(fields);
  const grouped = numBeamGroups > 1;

  let mode: DecodingMode;
  if (scoresPromptOnly(fields)) mode = 'score';
  else if (contrastive && (compat === '4.25' || (numBeams === 1 && !constrained))) mode = 'contrastive';
  else if (constrained) mode = 'constrained';
  else if (grouped && (numBeams > 1 || compat === '4.25')) mode = 'group';
  else if (numBeams > 1) mode = doSample ? 'beam-sample' : 'beam';
  else if (fields.has('dola_layers') && !fields.has('prompt_lookup_num_tokens')) mode = 'dola';
  else mode = doSample ? 'sample' : 'greedy';

  const selection = { mode, doSample, numBeams, numBeamGroups, numReturnSequences, penaltyAlpha };
  checkSelection(fields, compat, selection);
  return selection;
}

/** Each returned sequence is a row of its own, from whose scores a token is chosen. */
function isRowMode(mode: DecodingMode): boolean {
  return mode === 'greedy' || mode === 'sample' || mode === 'dola';
}

/** `max_new_tokens` 0 is valid only together with `prompt_logprobs`. */
export function scoresPromptOnly(fields: Fields): boolean {
  return fields.get('max_new_tokens') === 0 && fields.has('prompt_logprobs');
}

function checkSelection(fields: Fields, compat: CompatVersion, selection: Selection): void {
  const { mode, doSample, numBeams, numBeamGroups, numReturnSequences } = selection;
  if (mode === 'constrained') {
    if (numBeams === 1) refuse('num_beams', 'at least 2 with force_words_ids or constraints', numBeams);
    if (doSample) refuse('do_sample', 'false with force_words_ids or constraints', doSample);
    if (numBeamGroups > 1) refuse('num_beam_groups', '1 with force_words_ids or constraints', numBeamGroups);
  }
  if (mode === 'group' || (compat === '4.25' && numBeamGroups > 1)) {
    if (numBeamGroups > numBeams || numBeams % numBeamGroups !== 0) {
      refuse('num_beam_groups', `a divisor of num_beams ${numBeams}`, numBeamGroups);
    }
    if (doSample) refuse('do_sample', 'false with num_beam_groups above 1', doSample);
  }
  const diversityPenalty = toNumber('diversity_penalty', fields.get('diversity_penalty') ?? 0);
  if (mode === 'group' && compat === '5.18' && diversityPenalty <= 0) {
    refuse('diversity_penalty', 'a number above 0 with num_beam_groups above 1', diversityPenalty);
  }
  if (compat === '4.25' && diversityPenalty > 0 && numBeamGroups === 1) {
    refuse('diversity_penalty', '0 unless num_beam_groups is above 1', diversityPenalty);
  }
  if (compat === '4.25' && mode === 'group' && fields.has('typical_p')) {
    refuse('typical_p', 'no value with num_beam_groups above 1', fields.get('typical_p'));
  }
  if ((mode === 'greedy' || mode === 'contrastive' || mode === 'score') && numReturnSequences > 1) {
    refuse('num_return_sequences', `1 in ${mode} decoding (set do_sample or num_beams)`, numReturnSequences);
  }
  if (fields.has('continuation_ids') && (!isRowMode(mode) || numReturnSequences > 1)) {
    const expected = 'no value unless one sequence is decoded greedily or by sampling';
    refuse('continuation_ids', expected, fields.get('continuation_ids'));
  }
  if (mode === 'sample' && fields.has('prompt_lookup_num_tokens') && numReturnSequences > 1) {
    refuse('num_return_sequences', '1 with prompt_lookup_num_tokens', numReturnSequences);
  }
  if (mode === 'dola' && !doSample && numReturnSequences > 1) {
    refuse('num_return_sequences', '1 without do_sample', numReturnSequences);
  }
  const independentSearches = mode === 'beam-sample' && compat === '4.25';
  if (numBeams > 1 && mode !== 'contrastive' && !independentSearches && numReturnSequences > numBeams) {
    refuse('num_return_sequences', `at most num_beams ${numBeams}`, numReturnSequences);
  }
  if (compat === '5.18' && fields.get('low_memory') === true && numBeams > 1) {
    throw new ParameterError(
      'unsupported_parameter',
      ['low_memory'],
      'low_memory: expected false with beams (transformers dropped it in 4.50), got true',
    );
  }
}
