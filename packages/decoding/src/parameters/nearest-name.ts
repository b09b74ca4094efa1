/** The candidate with the fewest edits to `name`, ignoring case; null when none is close enough. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  const typed = name.toLowerCase().slice(0, 64);
  let nearest: string | null = null;
  let minEdits = Math.max(2, Math.ceil(typed.length * 0.4)) + 1;
  for (const candidate of candidates) {
    // Names whose lengths differ by that much have no fewer edits.
    if (Math.abs(candidate.length - typed.length) >= minEdits) continue;
    const edits = editDistance(typed, candidate);
    if (edits < minEdits) {
      minEdits = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Levenshtein distance. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
