/** One occurrence: the pattern's index and the offsets in UTF-16 units. */
export interface TextMatch {
  readonly pattern: number;
  readonly start: number;
  readonly end: number;
}

/** Finds fixed patterns in a text: the leftmost occurrence, and of those the longest. */
export interface TextMatcher {
  /** The first match within `text[from … to-1]`, or null. */
  find(text: string, from: number, to: number): TextMatch | null;
}

/**
 * An Aho–Corasick automaton (Aho and Corasick 1975) over UTF-16 units. One search reads each unit once, and at most
 * the longest pattern's length past the end of its match, so a text of n units costs O(n × longest pattern) at worst
 * and O(n) where nothing matches, however many patterns nearly match.
 *
 * @param patterns none empty
 */
export function createTextMatcher(patterns: readonly string[]): TextMatcher {
  // Node 0 is the root. children: the trie; fallback: the longest proper suffix that is also in the trie.
  const children: Map<number, number>[] = [new Map()];
  const depth: number[] = [0];
  const fallback: number[] = [0];
  /** The longest pattern that ends at a node, or -1. */
  const pattern: number[] = [-1];
  patterns.forEach((text, index) => {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let child = children[node]!.get(unit);
      if (child === undefined) {
        child = children.length;
        children[node]!.set(unit, child);
        children.push(new Map());
        depth.push(i + 1);
        fallback.push(0);
        pattern.push(-1);
      }
      node = child;
    }
    if (pattern[node] === -1) pattern[node] = index;
  });

  const step = (from: number, unit: number): number => {
    for (let node = from; ; node = fallback[node]!) {
      const child = children[node]!.get(unit);
      if (child !== undefined) return child;
      if (node === 0) return 0;
    }
  };

  // Breadth first, so that a node's fallback, which is less deep, is finished before the node.
  const queue: number[] = [...children[0]!.values()];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at]!;
    for (const [unit, child] of children[node]!) {
      fallback[child] = step(fallback[node]!, unit);
      queue.push(child);
    }
    if (pattern[node] === -1) pattern[node] = pattern[fallback[node]!]!;
  }

  const begins = new Uint8Array(0x10000);
  for (const unit of children[0]!.keys()) begins[unit] = 1;

  return {
    find(text, from, to) {
      let node = 0;
      let best: TextMatch | null = null;
      for (let at = from; at < to; at++) {
        const unit = text.charCodeAt(at);
        if (node === 0 && best === null && begins[unit] === 0) continue;
        node = step(node, unit);
        const end = at + 1;
        // A pattern that could still begin at or before the match at hand would have to be in progress here.
        if (best !== null && end - depth[node]! > best.start) return best;
        const found = pattern[node]!;
        if (found === -1) continue;
        const start = end - patterns[found]!.length;
        if (best === null || start <= best.start) best = { pattern: found, start, end };
      }
      return best;
    },
  };
}
