/** Where drafts are kept. Nothing of them is sent to the server. */
import type { NodeId } from '../document/draft.ts';
import type { DraftHead, StoredNode } from '../document/serialise.ts';

/** A draft as the menu of drafts lists it. */
export interface DraftEntry {
  readonly id: string;
  /** Its name, or the start of its text. */
  readonly title: string;
  readonly savedAtMs: number;
}

/** The stored row of a draft; its nodes are rows of their own. */
export interface StoredHead extends DraftHead, DraftEntry {
  /** Counts the writes. */
  readonly revision: number;
}

export interface DraftWrite {
  readonly head: StoredHead;
  readonly nodes: readonly StoredNode[];
  readonly removed: readonly NodeId[];
}

/** Stored data, which a shelf does not read. */
export interface StoredDraft {
  readonly head: unknown;
  readonly nodes: readonly unknown[];
}

export interface DraftShelf {
  /** The last saved draft first. */
  list(): Promise<readonly DraftEntry[]>;
  read(id: string): Promise<StoredDraft | null>;
  /**
   * Write what has changed, if the stored revision is the one before that of `head`. False when another tab has written the draft
   * since; then nothing is written.
   */
  write(write: DraftWrite): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Move a draft that cannot be read out of the list, and keep its data. */
  setAside(id: string, reason: string): Promise<void>;
}
