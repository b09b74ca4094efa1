/**
 * Progress of a sequence through a list of constraints (`ConstraintListState` of transformers 4.24 to 4.56).
 *
 * One constraint is in progress at a time. A token that breaks its progress moves it to the end of the pending
 * ones, and does not restart it. Prompt tokens count.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { Constraint } from '../generate-config.ts';
import { type Charge, STEPS } from '../work-budget.ts';

/** The states of the sequences of a search, each computed once from the state before its last token. */
export interface ConstraintStates {
  readonly after: (sequence: readonly TokenId[]) => ConstraintState;
  /** Remember `sequence`, which extends `before` by one token. */
  readonly extend: (before: readonly TokenId[], sequence: readonly TokenId[]) => void;
}

export function constraintStates(constraints: readonly Constraint[], charge: Charge): ConstraintStates {
  const known = new WeakMap<readonly TokenId[], ConstraintState>();
  const ids = constraints.reduce((sum, constraint) => sum + idsOf(constraint), 0);
  const after = (sequence: readonly TokenId[]): ConstraintState => {
    let state = known.get(sequence);
    if (state === undefined) {
      charge((STEPS.map + ids) * sequence.length);
      state = constraintsAfter(constraints, sequence);
      known.set(sequence, state);
    }
    return state;
  };
  return {
    after,
    extend: (before, sequence) => {
      charge(STEPS.map + ids);
      known.set(sequence, addToken(after(before), sequence.at(-1)!));
    },
  };
}

/** Immutable progress; `addToken` returns a new value. */
export interface ConstraintState {
  readonly completed: readonly Constraint[];
  readonly inProgress: { readonly constraint: Constraint; readonly matched: readonly TokenId[] } | null;
  readonly pending: readonly Constraint[];
}

/** The state before the first token: no constraint is met. */
function startConstraints(constraints: readonly Constraint[]): ConstraintState {
  return { completed: [], inProgress: null, pending: constraints };
}

/** The state after a sequence; tokens after the completion are ignored. */
export function constraintsAfter(constraints: readonly Constraint[], sequence: readonly TokenId[]): ConstraintState {
  let state = startConstraints(constraints);
  for (const token of sequence) {
    if (isComplete(state)) break;
    state = addToken(state, token);
  }
  return state;
}

/** Whether every constraint is met. */
export function isComplete({ inProgress, pending }: ConstraintState): boolean {
  return inProgress === null && pending.length === 0;
}

/** The state after one more token. */
export function addToken(state: ConstraintState, token: TokenId): ConstraintState {
  if (isComplete(state)) return state;
  const { completed, inProgress, pending } = state;
  if (inProgress !== null) {
    const { constraint, matched } = inProgress;
    if (!nextTokens(constraint, matched).includes(token)) {
      return { completed, inProgress: null, pending: [...pending, constraint] };
    }
    return take(completed, constraint, [...matched, token], pending);
  }
  const at = pending.findIndex((constraint) => nextTokens(constraint, []).includes(token));
  if (at === -1) return state;
  return take(completed, pending[at]!, [token], pending.toSpliced(at, 1));
}

/** Every token that advances the state. */
export function advancingTokens({ inProgress, pending }: ConstraintState): readonly TokenId[] {
  if (inProgress !== null) return nextTokens(inProgress.constraint, inProgress.matched);
  return pending.flatMap((constraint) => nextTokens(constraint, []));
}

/** Bank of the state: the length of each constraint that is met, plus the progress of the current one. */
export function bankOf({ completed, inProgress }: ConstraintState, longest: number): number {
  const begun = inProgress === null ? 0 : longest - (lengthOf(inProgress.constraint) - inProgress.matched.length);
  return completed.length * longest + begun;
}

/** Length of the longest alternative of a constraint. */
export function lengthOf(constraint: Constraint): number {
  return Math.max(...alternativesOf(constraint).map((tokens) => tokens.length));
}

/** Number of ids over all alternatives of a constraint. */
export function idsOf(constraint: Constraint): number {
  return alternativesOf(constraint).reduce((sum, tokens) => sum + tokens.length, 0);
}

function take(
  completed: readonly Constraint[],
  constraint: Constraint,
  matched: readonly TokenId[],
  pending: readonly Constraint[],
): ConstraintState {
  const isMet = alternativesOf(constraint).some(
    (tokens) => tokens.length === matched.length && startsWith(tokens, matched),
  );
  return isMet
    ? { completed: [...completed, constraint], inProgress: null, pending }
    : { completed, inProgress: { constraint, matched }, pending };
}

function nextTokens(constraint: Constraint, matched: readonly TokenId[]): TokenId[] {
  const next = alternativesOf(constraint)
    .filter((tokens) => tokens.length > matched.length && startsWith(tokens, matched))
    .map((tokens) => tokens[matched.length]!);
  return [...new Set(next)];
}

function alternativesOf(constraint: Constraint): readonly (readonly TokenId[])[] {
  return constraint.type === 'phrasal' ? [constraint.tokens] : constraint.alternatives;
}

function startsWith(tokens: readonly TokenId[], beginning: readonly TokenId[]): boolean {
  return beginning.every((token, at) => tokens[at] === token);
}
