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

interface Watched {
  readonly tables: ReadonlySet<string>;
  count: number;
}

/** Statements that begin so change only the tables that they name after a verb, if any. Others may change all that they name. */
const NAMES_ITS_TARGETS = /^\s*(select|insert|update|delete|with|begin|commit|rollback|savepoint|release|set|show)\b/i;
const TARGETS =
  /\b(?:insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?|alter\s+table|drop\s+table)\s+(?:if\s+exists\s+)?(?:only\s+)?(?:"?\w+"?\s*\.\s*)?"?(\w+)/gi;
const NAMES = /(\w+)/g;
/** Texts whose effect is kept: a prepared statement has the same one each time. */
const MAX_KNOWN_TEXTS = 1000;

export function createWriteWatch(): StatementWatch {
  const watched: Watched[] = [];
  let known = new Map<string, readonly Watched[]>();
  const changedBy = (text: string): readonly Watched[] => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const names = new Set<string>();
    for (const [, name = ''] of text.matchAll(NAMES_ITS_TARGETS.test(text) ? TARGETS : NAMES)) {
      names.add(name.toLowerCase());
    }
    const changed = watched.filter(({ tables }) => [...names].some((name) => tables.has(name)));
    if (known.size < MAX_KNOWN_TEXTS) known.set(text, changed);
    return changed;
  };
  return {
    of(tables) {
      const one: Watched = { tables: new Set(tables), count: 0 };
      watched.push(one);
      known = new Map();
      return () => one.count;
    },
    note(text) {
      for (const one of changedBy(text)) one.count += 1;
    },
  };
}
