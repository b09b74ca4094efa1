import type { TryLock } from '../ports.ts';

/** Locks of this process. */
export function testLocks(): TryLock {
  const held = new Set<string>();
  return async (folder) => {
    if (held.has(folder)) return null;
    held.add(folder);
    return {
      release: async () => {
        held.delete(folder);
      },
    };
  };
}
