/** Servers of a test file that share a store. */
import { after, afterEach, before } from 'node:test';
import { ensureApiKey } from '../identity/api-keys/api-key-store.ts';
import type { Store } from '../store/db.ts';
import type { ServedComposition } from './serve-composition.ts';
import { openTestStore } from './test-store.ts';

export interface SharedServers {
  /** From the first test on; it has the token as its API token. */
  readonly store: Store;
  /** Have a server closed after the test. */
  add(server: ServedComposition): void;
  /** Close a server within the test. */
  close(server: ServedComposition): Promise<void>;
  /** Close all of them. */
  closeAll(): Promise<void>;
}

/** Call it once in a file, outside of tests. */
export function shareServers(token: string): SharedServers {
  let store: Store | null = null;
  let open: ServedComposition[] = [];
  const closeAll = async (): Promise<void> => {
    const servers = open;
    open = [];
    await Promise.all(servers.map((server) => server.close()));
  };
  before(async () => {
    store = await openTestStore();
    await ensureApiKey(store.db, { environmentToken: token, now: new Date() });
  });
  after(() => store?.close());
  afterEach(closeAll);
  return {
    get store() {
      if (store === null) throw new Error('expected a running test, got one that has not begun');
      return store;
    },
    add: (server) => void open.push(server),
    async close(server) {
      // A copy of it was added, with more than a server has.
      open = open.filter(({ composition }) => composition !== server.composition);
      await server.close();
    },
    closeAll,
  };
}
