/** Writes a draft after its last change, and what has changed of it alone. */
import { type Draft, type DraftNode, type NodeId, pathOf } from '../document/draft.ts';
import { headOf, storedNode } from '../document/serialise.ts';
import type { DraftShelf } from './draft-shelf.ts';

const SAVE_AFTER_MS = 300;
const MAX_TITLE = 60;
/** Characters of the text that its title is made of. */
const MAX_START = 1000;

export interface DraftSaverOptions {
  readonly shelf: DraftShelf;
  readonly nowMs: () => number;
  /** Call `task` later; the returned function cancels that. */
  readonly later: (task: () => void, delayMs: number) => () => void;
  readonly newId: () => string;
  /** Another tab has written the draft: from now on it is this copy, under another id. */
  readonly onCopied: (copy: Draft) => void;
  readonly onError: (error: unknown) => void;
}

export interface DraftSaver {
  /** The draft as it was read from the shelf; null for one that is new. */
  opened(draft: Draft, revision: number): void;
  /** Note the draft, to be written 300 ms after the last urgent call. */
  changed(draft: Draft, isUrgent?: boolean): void;
  /** Write now what has changed. */
  flush(): Promise<void>;
}

export function createDraftSaver({ shelf, nowMs, later, newId, onCopied, onError }: DraftSaverOptions): DraftSaver {
  let saved: ReadonlyMap<NodeId, DraftNode> = new Map();
  let revision = 0;
  let waiting: Draft | null = null;
  let cancel: (() => void) | null = null;
  let writing: Promise<void> = Promise.resolve();

  const write = async (draft: Draft): Promise<void> => {
    const nodes = [...draft.nodes.values()].filter((node) => saved.get(node.id) !== node).map(storedNode);
    const removed = [...saved.keys()].filter((id) => !draft.nodes.has(id));
    const head = { ...headOf(draft), title: titleOf(draft), savedAtMs: nowMs(), revision: revision + 1 };
    if (await shelf.write({ head, nodes, removed })) {
      revision++;
      saved = draft.nodes;
      return;
    }
    const copy = { ...(waiting ?? draft), id: newId() };
    saved = new Map();
    revision = 0;
    onCopied(copy);
    waiting = copy;
  };

  const flush = async (): Promise<void> => {
    cancel?.();
    cancel = null;
    // One write after the other: each compares with the one before.
    writing = writing.then(async () => {
      try {
        for (let draft = waiting; draft !== null; draft = waiting) {
          waiting = null;
          await write(draft);
        }
      } catch (error) {
        onError(error);
      }
    });
    await writing;
  };

  return {
    opened(draft, from) {
      saved = draft.nodes;
      revision = from;
    },
    changed(draft, isUrgent = true) {
      waiting = draft;
      if (!isUrgent) return;
      cancel?.();
      cancel = later(() => void flush(), SAVE_AFTER_MS);
    },
    flush,
  };
}

/** The name of a draft, or the start of its text. */
export function titleOf(draft: Draft): string {
  if (draft.name !== null) return draft.name;
  // The title of a draft is shown while it is being written: only its start is read.
  const line = startOf(draft).replace(/\s+/g, ' ').trim();
  if (line === '') return 'Empty draft';
  const letters = [...line.slice(0, MAX_TITLE * 2)];
  return letters.length <= MAX_TITLE ? line : `${letters.slice(0, MAX_TITLE).join('')}…`;
}

/** Enough of the text for a title. */
function startOf(draft: Draft): string {
  let start = '';
  for (const { text } of pathOf(draft)) {
    start += text.slice(0, MAX_START);
    if (start.length >= MAX_START) break;
  }
  return start;
}
