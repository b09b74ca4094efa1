/**
 * Notices statements that may change tables, by their text, so that what was read from these tables can be kept in memory
 * until then. Right only for a store with one session, which this process has to itself: a statement that is sent after the
 * write sees its effect, or that it was rolled back.
 */

export interface WriteWatch {
  /** A function that returns how many statements so far may have changed one of the tables. */
  of(tables: readonly string[]): () => number;
}

export interface StatementWatch extends WriteWatch {
  /** A statement is sent. */
  note(text: string): void;
}

/** Statements that begin so change no table themselves; migrations define no function that changes a watched one (tested). */
const READS = /^\s*(select|begin|commit|rollback|savepoint|release|set|show)\b/i;
/** Texts whose effect is kept: a prepared statement has the same one each time. */
const MAX_KNOWN_TEXTS = 1000;

export function createWriteWatch(): StatementWatch {
  const watched: { readonly names: RegExp; count: number }[] = [];
  let known = new Map<string, readonly { count: number }[]>();
  const changedBy = (text: string): readonly { count: number }[] => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const changed = READS.test(text) ? [] : watched.filter(({ names }) => names.test(text));
    if (known.size < MAX_KNOWN_TEXTS) known.set(text, changed);
    return changed;
  };
  return {
    of(tables) {
      const one = { names: new RegExp(`\\b(${tables.join('|')})\\b`, 'i'), count: 0 };
      watched.push(one);
      known = new Map();
      return () => one.count;
    },
    note(text) {
      for (const one of changedBy(text)) one.count += 1;
    },
  };
}
