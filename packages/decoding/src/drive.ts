import type { TokenId } from '@gptj-cloud/model';
import type { Drafting } from './drafting.ts';
import type { RowResult, ScoreRequest, Strategy } from './strategy.ts';

/** Scores whole sequences: the positions from `start` to the end of `tokens`. */
export type Scorer = (request: {
  readonly tokens: readonly TokenId[];
  /** First position to score; equal to the length where nothing is scored. */
  readonly start: number;
  readonly hidden: boolean;
  readonly layers: readonly number[];
}) => RowResult;

/**
 * Run a strategy to its end against a scorer that needs no cache, following the tokens of every row. `onRequest`
 * receives each request, and throws to stop; `draft` drafts tokens of rows that allow it. For tests; an engine's scheduler does the same with sequences of a model.
 */
export function runStrategy<Outcome>(
  strategy: Strategy<Outcome>,
  score: Scorer,
  onRequest: (request: ScoreRequest) => void = () => {},
  draft: (drafting: Drafting) => readonly TokenId[] = () => [],
): Outcome {
  let rows: readonly (readonly TokenId[])[] = [];
  let turn = strategy.next();
  while (turn.done !== true) {
    const request = turn.value;
    onRequest(request);
    const before = rows;
    const drafts = request.rows.map(({ drafting }) => (drafting === undefined ? [] : draft(drafting)));
    rows = request.rows.map(({ from, keep, tokens }, index) => {
      const past = from === null ? [] : before[from];
      if (past === undefined) throw new RangeError(`a row continues row ${from} of ${before.length}`);
      if (keep !== undefined && keep > past.length) throw new RangeError(`a row keeps ${keep} of ${past.length}`);
      return [...past.slice(0, keep ?? past.length), ...tokens, ...drafts[index]!];
    });
    const result = request.rows.map(({ tokens, scored, hidden = false, layers = [] }, index) => {
      const sequence = rows[index]!;
      if (tokens.length === 0 && scored !== 'none')
        throw new RangeError('row: expected scored "none" without tokens, got scored positions');
      const drafted = drafts[index]!;
      const scoredCount = { none: 0, last: 1, all: tokens.length + drafted.length }[scored];
      const scores = score({ tokens: sequence, start: sequence.length - scoredCount, hidden, layers });
      return drafted.length === 0 ? scores : { ...scores, drafted };
    });
    turn = strategy.next(result);
  }
  return turn.value;
}
