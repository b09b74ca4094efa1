/** Drafts in the browser's IndexedDB: one record for a draft's head, and one for each of its nodes. */
import type { DraftEntry, DraftShelf, DraftWrite, StoredDraft } from './draft-shelf.ts';

const VERSION = 1;
const HEADS = 'heads';
const NODES = 'nodes';
/** Data of drafts that could not be read. */
const ASIDE = 'aside';

/** Opens the database `name`, and creates it at first. Rejects where the browser refuses storage. */
export async function openIndexedDbShelf(name: string): Promise<DraftShelf> {
  const database = await open(name);
  return {
    async list() {
      const heads = await result(database.transaction(HEADS).objectStore(HEADS).getAll());
      return heads.flatMap(entryOf).sort((a, b) => b.savedAtMs - a.savedAtMs);
    },
    async read(id) {
      return await readDraft(database, id);
    },
    async write(write) {
      return await writeDraft(database, write);
    },
    async remove(id) {
      const transaction = database.transaction([HEADS, NODES], 'readwrite');
      transaction.objectStore(HEADS).delete(id);
      transaction.objectStore(NODES).delete(nodesOf(id));
      await done(transaction);
    },
    async setAside(id, reason) {
      const stored = await readDraft(database, id);
      const transaction = database.transaction([HEADS, NODES, ASIDE], 'readwrite');
      transaction.objectStore(ASIDE).put({ id, reason, stored, atMs: Date.now() });
      transaction.objectStore(HEADS).delete(id);
      transaction.objectStore(NODES).delete(nodesOf(id));
      await done(transaction);
    },
  };
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore(HEADS, { keyPath: 'id' });
      database.createObjectStore(NODES, { keyPath: ['draftId', 'id'] });
      database.createObjectStore(ASIDE, { keyPath: 'id' });
    };
    request.onsuccess = () => {
      const database = request.result;
      // A page of a later version waits for this one.
      database.onversionchange = () => database.close();
      resolve(database);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('another tab has an older version of the drafts open: close it'));
  });
}

async function readDraft(database: IDBDatabase, id: string): Promise<StoredDraft | null> {
  const transaction = database.transaction([HEADS, NODES]);
  const head = result(transaction.objectStore(HEADS).get(id));
  const nodes = result(transaction.objectStore(NODES).getAll(nodesOf(id)));
  const [found, list] = await Promise.all([head, nodes]);
  return found === undefined ? null : { head: found, nodes: list };
}

async function writeDraft(database: IDBDatabase, { head, nodes, removed }: DraftWrite): Promise<boolean> {
  const transaction = database.transaction([HEADS, NODES], 'readwrite');
  const heads = transaction.objectStore(HEADS);
  const stored: unknown = await result(heads.get(head.id));
  if (revisionOf(stored) !== head.revision - 1) {
    transaction.abort();
    return false;
  }
  heads.put(head);
  const records = transaction.objectStore(NODES);
  for (const node of nodes) records.put({ ...node, draftId: head.id });
  for (const id of removed) records.delete([head.id, id]);
  await done(transaction);
  return true;
}

function revisionOf(head: unknown): number {
  const revision = typeof head === 'object' && head !== null && 'revision' in head ? head.revision : 0;
  return typeof revision === 'number' ? revision : 0;
}

function entryOf(head: unknown): readonly DraftEntry[] {
  if (typeof head !== 'object' || head === null) return [];
  const { id, title, savedAtMs } = { id: null, title: null, savedAtMs: null, ...head };
  if (typeof id !== 'string' || typeof title !== 'string' || typeof savedAtMs !== 'number') return [];
  return [{ id, title, savedAtMs }];
}

function nodesOf(draftId: string): IDBKeyRange {
  // Arrays sort after every string, so that this is the end of the draft's nodes.
  return IDBKeyRange.bound([draftId], [draftId, []]);
}

function result<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error ?? new Error('the browser ended the write of a draft'));
  });
}
