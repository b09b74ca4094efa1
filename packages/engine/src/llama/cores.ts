import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Number of physical cores that this process may use. Hyper-threads of one core count once, because matrix products gain
 * nothing from the second. Other systems than Linux report logical cores only, and those are counted.
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
