import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';

/** Steps of `nice`: beside a thread of the usual priority, this one gets a tenth of a core that both want. */
const STEPS = 10;
const MAX_NICE = 19;

/**
 * Let other threads and processes go first where they want the same core. On Linux a thread has a priority of its own;
 * elsewhere it would be the priority of the whole process, and nothing is changed.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux' || isMainThread) return;
  try {
    // "<process>/task/<thread>"
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, Math.min(MAX_NICE, getPriority(thread) + STEPS));
  } catch {
    // Without /proc, or where the system refuses: the thread works at the priority of the others.
  }
}
