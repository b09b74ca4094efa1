import type { TokenRequest } from '../requests/encode-request.ts';

export interface BatchBounds {
  readonly tokens: number;
  readonly requests: number;
  /** Whether a context that several requests have counts once. */
  readonly sharesContexts: boolean;
}

/**
 * Indices of requests in batches: requests with the same context side by side, the longest contexts first, so that a request
 * that does not fit fails at once and the time left is not underestimated.
 */
export function planBatches(requests: readonly TokenRequest[], bounds: BatchBounds): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  requests.forEach(({ context }, index) => {
    const key = context.join(',');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  const length = (index: number): number => requests[index]!.context.length + requests[index]!.continuation.length;
  const longest = (group: readonly number[]): number => Math.max(...group.map(length));
  const ordered = [...groups.values()]
    .map((group) => ({ group, longest: longest(group) }))
    .sort((a, b) => b.longest - a.longest || a.group[0]! - b.group[0]!);
  const batches: number[][] = [];
  let batch: number[] = [];
  let tokens = 0;
  for (const { group } of ordered) {
    let isContextIn = false;
    for (const index of group) {
      const { context, continuation } = requests[index]!;
      const withContext = continuation.length + context.length;
      const added = isContextIn ? continuation.length : withContext;
      if (batch.length > 0 && (batch.length >= bounds.requests || tokens + added > bounds.tokens)) {
        batches.push(batch);
        batch = [];
        tokens = 0;
        isContextIn = false;
      }
      batch.push(index);
      tokens += isContextIn ? continuation.length : withContext;
      isContextIn = bounds.sharesContexts;
    }
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
