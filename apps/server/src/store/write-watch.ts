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

/** Statements that begin so change only the tables that they name after a verb, if any. */
const NAMES_ITS_TARGETS = /^\s*(select|insert|update|delete|with|begin|commit|rollback|savepoint|release|set|show)\b/i;
const VERB = String.raw`\b(insert\s+into|update|delete\s+from|merge\s+into|truncate(\s+table)?|alter\s+table|drop\s+table(\s+if\s+exists)?)\s+(only\s+)?("?\w+"?\s*\.\s*)?"?`;
/** Texts whose effect is kept: a prepared statement has the same one each time. */
const MAX_KNOWN_TEXTS = 1000;

export function createWriteWatch(): StatementWatch {
  const watched: { readonly mention: RegExp; readonly change: RegExp; count: number }[] = [];
  let known = new Map<string, readonly { count: number }[]>();
  const changedBy = (text: string): readonly { count: number }[] => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const isPlain = NAMES_ITS_TARGETS.test(text);
    const changed = watched.filter(({ mention, change }) => (isPlain ? change : mention).test(text));
    if (known.size < MAX_KNOWN_TEXTS) known.set(text, changed);
    return changed;
  };
  return {
    of(tables) {
      const names = `(${tables.join('|')})\\b`;
      const one = { mention: new RegExp(`\\b${names}`, 'i'), change: new RegExp(VERB + names, 'i'), count: 0 };
      watched.push(one);
      known = new Map();
      return () => one.count;
    },
    note(text) {
      for (const one of changedBy(text)) one.count += 1;
    },
  };
}
