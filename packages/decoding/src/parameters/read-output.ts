import { ParameterError } from '../parameter-error.ts';
import { LIMITS } from './parameter-context.ts';
import { type Fields, refuse, refuseUnknownFields, toBoolean, toFields, toInteger } from './read-value.ts';
import type { OutputOptions } from './records/output.ts';

/** Entries of a row of scores where `scores_format` is absent. */
export const DEFAULT_TOP_SCORES = 20;

/** `logprobs`, `prompt_logprobs`, `processed_logprobs`, `output_scores`, `output_logits`, `output_beams`, `scores_format` and `return_dict_in_generate`. */
export function readOutput(fields: Fields): OutputOptions {
  // Without the dictionary transformers returns bare ids and drops every other output.
  const dictionary = toBoolean('return_dict_in_generate', fields.get('return_dict_in_generate') ?? true);
  return {
    topLogprobs: topCount(fields, 'logprobs'),
    promptLogprobs: topCount(fields, 'prompt_logprobs'),
    processed: toBoolean('processed_logprobs', fields.get('processed_logprobs') ?? false),
    scores: toBoolean('output_scores', fields.get('output_scores') ?? false) && dictionary,
    logits: toBoolean('output_logits', fields.get('output_logits') ?? false) && dictionary,
    beams: toBoolean('output_beams', fields.get('output_beams') ?? false) && dictionary,
    rowFormat: readRowFormat(fields),
  };
}

function topCount(fields: Fields, name: string): number | null {
  const value = fields.get(name);
  return value === undefined ? null : toInteger(name, value, { min: 0, max: LIMITS.topLogprobs });
}

function readRowFormat(fields: Fields): OutputOptions['rowFormat'] {
  const name = 'scores_format';
  const value = fields.get(name);
  if (value === undefined) return { type: 'top', count: DEFAULT_TOP_SCORES };
  if (value === 'base64') return { type: 'base64' };
  if (typeof value === 'string') refuse(name, '"base64" or {"top": N}', value);
  const form = toFields(name, value);
  refuseUnknownFields(name, form, ['top']);
  return { type: 'top', count: toInteger(name, form.get('top'), { min: 1, max: LIMITS.topScores }) };
}

/** The size of what a call returns. */
export interface OutputSize {
  /** Rows of one step. */
  readonly rows: number;
  readonly sequences: number;
  /** Beams of one step; 0 without a beam search. */
  readonly beams: number;
  readonly newTokens: number;
  readonly vocabSize: number;
}

/** Throws `limit_exceeded` when the requested output is too large. */
export function limitOutput(output: OutputOptions, { rows, sequences, beams, newTokens, vocabSize }: OutputSize): void {
  const kinds = Number(output.scores) + Number(output.logits);
  const perRow = output.rowFormat.type === 'base64' ? vocabSize : Math.min(output.rowFormat.count, vocabSize);
  const values = kinds * rows * newTokens * perRow;
  if (values > LIMITS.scoreValues) {
    const names = [...(output.scores ? ['output_scores'] : []), ...(output.logits ? ['output_logits'] : [])];
    throw new ParameterError(
      'limit_exceeded',
      names,
      `${names.join(', ')}: ${rows} rows of ${newTokens} steps would return ${values} values, at most ` +
        `${LIMITS.scoreValues} are allowed; set scores_format to {"top": N} or lower max_new_tokens`,
    );
  }
  const candidates = output.beams ? LIMITS.candidatesPerBeam * beams * newTokens : 0;
  if (candidates > LIMITS.beamCandidates) {
    throw new ParameterError(
      'limit_exceeded',
      ['output_beams'],
      `output_beams: ${beams} beams of ${newTokens} steps would return ${candidates} candidates, at most ` +
        `${LIMITS.beamCandidates} are allowed; lower num_beams or max_new_tokens`,
    );
  }
  const entries = sequences * newTokens * ((output.topLogprobs ?? -1) + 1);
  if (entries > LIMITS.logprobEntries) {
    throw new ParameterError(
      'limit_exceeded',
      ['logprobs'],
      `logprobs: ${sequences} sequences of ${newTokens} tokens would return ${entries} log-probabilities, at most ` +
        `${LIMITS.logprobEntries} are allowed; lower logprobs, num_return_sequences or max_new_tokens`,
    );
  }
}
