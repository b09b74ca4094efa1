import type { TokenId } from '@gptj-cloud/model';

/**
 * Up to `maxTokens` tokens that followed the first earlier occurrence of the longest n-gram (`minNgram` to `maxNgram`
 * tokens) that ends the sequence. Linear in the length of the sequence, whatever the length of the n-gram.
 */
export function findDraft(
  sequence: readonly TokenId[],
  minNgram: number,
  maxNgram: number,
  maxTokens: number,
): readonly TokenId[] {
  if (maxTokens <= 0) return [];
  const shared = sharedEndings(sequence);
  let longest = 0;
  let after = 0;
  // The first place among those of the longest n-gram.
  for (let end = 1; end < sequence.length; end++) {
    const size = Math.min(shared[end]!, maxNgram);
    if (size <= longest) continue;
    longest = size;
    after = end;
  }
  return longest < minNgram || longest === 0 ? [] : sequence.slice(after, after + maxTokens);
}

/**
 * For every `end`, how many of the last tokens before `end` equal the last tokens of the sequence: the Z function of the
 * sequence read backwards.
 */
function sharedEndings(sequence: readonly TokenId[]): Int32Array {
  const { length } = sequence;
  const shared = new Int32Array(length + 1);
  // Positions count from the end; [from, to) is the match that reaches farthest.
  let from = 0;
  let to = 0;
  for (let at = 1; at < length; at++) {
    let size = at < to ? Math.min(to - at, shared[length - (at - from)]!) : 0;
    while (at + size < length && sequence[length - 1 - size] === sequence[length - 1 - at - size]) size++;
    if (at + size > to) {
      from = at;
      to = at + size;
    }
    shared[length - at] = size;
  }
  return shared;
}
