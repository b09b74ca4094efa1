import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Cores this process may use, hyper-threads of one core counted once: matrix products gain nothing from the second
 * thread of a core. Outside Linux the operating system's count is taken as it is.
 */
export function physicalCores(): number {
  const logical = availableParallelism();
  if (process.platform !== 'linux') return logical;
  try {
    const siblings = new Set<string>();
    for (let cpu = 0; cpu < logical; cpu++) {
      siblings.add(readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8').trim());
    }
    return Math.max(1, siblings.size);
  } catch {
    return logical;
  }
}
