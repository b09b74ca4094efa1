/** Opens a stored draft, or says why another one is opened in its place. */
import { type Draft, newDraft, type Parameters } from '../document/draft.ts';
import { DamagedDraftError, readDraft } from '../document/serialise.ts';
import type { DraftClaims } from './draft-claims.ts';
import type { DraftShelf } from './draft-shelf.ts';

export interface OpenedDraft {
  readonly draft: Draft;
  /** Of the stored draft; 0 for one that is not stored yet. */
  readonly revision: number;
  /** A sentence for the user; null when the draft is the one that was asked for. */
  readonly notice: string | null;
}

export interface OpenDraftOptions {
  readonly shelf: DraftShelf;
  readonly claims: DraftClaims;
  readonly newId: () => string;
  /** Parameters of a new draft. */
  readonly parameters: Parameters;
}

/** Opens the draft with this id, or the last saved one; a new one when there is none. */
export async function openDraft(
  { shelf, claims, newId, parameters }: OpenDraftOptions,
  id?: string,
): Promise<OpenedDraft> {
  const wanted = id ?? (await shelf.list())[0]?.id;
  const stored = wanted === undefined ? null : await shelf.read(wanted);
  const empty = async (notice: string | null): Promise<OpenedDraft> => {
    const draft = newDraft(newId(), parameters);
    await claims.claim(draft.id);
    return { draft, revision: 0, notice };
  };
  if (wanted === undefined || stored === null) return await empty(null);
  let draft: Draft;
  try {
    draft = readDraft(stored.head, stored.nodes);
  } catch (error) {
    if (!(error instanceof DamagedDraftError)) throw error;
    await shelf.setAside(wanted, error.message);
    return await empty(`A stored draft could not be read and was set aside in this browser: ${error.message}.`);
  }
  if (await claims.claim(draft.id)) return { draft, revision: revisionOf(stored.head), notice: null };
  const copy = { ...draft, id: newId(), name: draft.name === null ? null : `${draft.name} (copy)` };
  await claims.claim(copy.id);
  return { draft: copy, revision: 0, notice: 'This draft is open in another tab. This is a copy of it.' };
}

function revisionOf(head: unknown): number {
  const revision = typeof head === 'object' && head !== null && 'revision' in head ? head.revision : 0;
  return typeof revision === 'number' ? revision : 0;
}
