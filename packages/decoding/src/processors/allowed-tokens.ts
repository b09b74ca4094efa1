import type { TokenId } from '@gptj-cloud/model';
import { builtOnce } from '../built-once.ts';
import { DecodingError } from '../decoding-error.ts';
import { type Prefix, sortSequences } from '../sorted-sequences.ts';
import type { Charge } from '../work-budget.ts';

/** The ids that may follow a sequence, each once. The next call may overwrite them. */
export type AllowedNext = (sequence: readonly TokenId[]) => ArrayLike<TokenId>;

let kept = new Float32Array(0);
/** Steps of keeping the score of one allowed token. */
const TOKEN_STEPS = 8;

interface Row {
  readonly scores: Float32Array;
  readonly sequence: readonly TokenId[];
}

/**
 * Forbid all tokens that `allowedNext` does not list. `forceWhenStuck` (compat 5.18): when all allowed tokens are already
 * forbidden in every row, all rows get score 0 for allowed tokens and -inf for the others.
 *
 * Throws `no_possible_token` when no token is allowed for some row.
 */
export function keepAllowed(
  rows: readonly Row[],
  allowedNext: AllowedNext,
  forceWhenStuck: boolean,
  charge: Charge,
): void {
  let isStuck = true;
  for (const { scores, sequence } of rows) {
    const tokens = allowedNext(sequence);
    charge(scores.length + TOKEN_STEPS * tokens.length);
    if (tokens.length === 0) {
      throw new DecodingError(
        'no_possible_token',
        'prefix_allowed_tokens_fn: nothing is allowed at this position; end the allowed sequences with EOS or make them longer',
      );
    }
    if (kept.length < tokens.length) kept = new Float32Array(scores.length);
    for (let at = 0; at < tokens.length; at++) kept[at] = scores[tokens[at]!]!;
    scores.fill(Number.NEGATIVE_INFINITY);
    for (let at = 0; at < tokens.length; at++) {
      const score = kept[at]!;
      scores[tokens[at]!] = score;
      if (score !== Number.NEGATIVE_INFINITY) isStuck = false;
    }
  }
  if (!isStuck || !forceWhenStuck) return;
  for (const { scores, sequence } of rows) {
    const tokens = allowedNext(sequence);
    for (let at = 0; at < tokens.length; at++) scores[tokens[at]!] = 0;
  }
}

const sortAllowed = builtOnce(sortSequences);

/** The ids that continue one of `sequences`, matched from position `skip` of the row on. */
export function allowedBySequences(
  sequences: readonly (readonly TokenId[])[],
  skip: number,
  charge: Charge,
): AllowedNext {
  const sorted = sortAllowed(sequences, charge);
  return (row) => {
    let prefix: Prefix | null = sorted.root;
    let at = skip;
    while (at < row.length && prefix !== null) prefix = sorted.follow(prefix, row[at++]!);
    const tokens = prefix === null ? [] : sorted.nextTokens(prefix);
    charge(sorted.followSteps * (at - skip + tokens.length));
    return tokens;
  };
}
