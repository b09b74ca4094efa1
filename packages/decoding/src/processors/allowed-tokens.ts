import type { TokenId } from '@gptj-cloud/model';
import { DecodingError } from '../decoding-error.ts';

/** The ids that may follow a sequence. */
export type AllowedNext = (sequence: readonly TokenId[]) => Iterable<TokenId>;

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
export function keepAllowed(rows: readonly Row[], allowedNext: AllowedNext, forceWhenStuck: boolean): void {
  const lists = rows.map(({ sequence }) => [...allowedNext(sequence)]);
  if (lists.some((list) => list.length === 0)) {
    throw new DecodingError(
      'no_possible_token',
      'prefix_allowed_tokens_fn: nothing is allowed at this position; end the allowed sequences with EOS or make them longer',
    );
  }
  const kept = rows.map(({ scores }, row) => lists[row]!.map((token) => scores[token]!));
  const stuck = forceWhenStuck && kept.every((values) => values.every((value) => value === Number.NEGATIVE_INFINITY));
  for (const [row, { scores }] of rows.entries()) {
    scores.fill(Number.NEGATIVE_INFINITY);
    for (const [at, token] of lists[row]!.entries()) scores[token] = stuck ? 0 : kept[row]![at]!;
  }
}

interface TrieNode {
  readonly next: Map<TokenId, TrieNode>;
}

/** The ids that continue one of `sequences`, matched from position `skip` of the row on. */
export function allowedBySequences(sequences: readonly (readonly TokenId[])[], skip: number): AllowedNext {
  const root: TrieNode = { next: new Map() };
  for (const sequence of sequences) {
    let node = root;
    for (const token of sequence) {
      let child = node.next.get(token);
      if (child === undefined) {
        child = { next: new Map() };
        node.next.set(token, child);
      }
      node = child;
    }
  }
  return (row) => {
    let node: TrieNode | undefined = root;
    for (let at = skip; at < row.length && node !== undefined; at++) node = node.next.get(row[at]!);
    return node?.next.keys() ?? [];
  };
}
