/**
 * Limits that Linux puts on this process by control groups, as containers and services have them: version 2 in one tree,
 * version 1 with a tree for each controller. A group is also bound by the groups above it.
 */
import { join } from 'node:path';
import type { ReadText } from './read-text.ts';

const ROOT = '/sys/fs/cgroup';
/** Version 1 writes a number of this size for "no limit". */
const MAX_LIMIT_BYTES = 2 ** 60;

export interface CgroupMemory {
  readonly limitBytes: number;
  /** What the limit leaves: pages of files that the system gives up when memory is needed count as free. */
  readonly freeBytes: number;
}

/** The memory limit that leaves the least; null when there is none. */
export function cgroupMemory(read: ReadText): CgroupMemory | null {
  const groups = [
    ...foldersOf(read, null).map((folder) => ({
      folder,
      limit: 'memory.max',
      used: 'memory.current',
      inactive: 'inactive_file',
    })),
    ...foldersOf(read, 'memory').map((folder) => ({
      folder,
      limit: 'memory.limit_in_bytes',
      used: 'memory.usage_in_bytes',
      inactive: 'total_inactive_file',
    })),
  ];
  const limits = groups.flatMap(({ folder, limit, used, inactive }): CgroupMemory[] => {
    const limitBytes = numberIn(read(join(folder, limit)));
    if (limitBytes === null || limitBytes >= MAX_LIMIT_BYTES) return [];
    const usedBytes = numberIn(read(join(folder, used))) ?? 0;
    const line = new RegExp(`^${inactive} (\\d+)$`, 'm').exec(read(join(folder, 'memory.stat')) ?? '');
    return [{ limitBytes, freeBytes: Math.max(0, limitBytes - usedBytes + Number(line?.[1] ?? 0)) }];
  });
  return limits.sort((a, b) => a.freeBytes - b.freeBytes)[0] ?? null;
}

/** The number of processors that a quota of time amounts to, not a whole number; null when there is no quota. */
export function cgroupCpus(read: ReadText): number | null {
  const quotas = [
    ...foldersOf(read, null).map((folder) => {
      const [quota, period] = (read(join(folder, 'cpu.max')) ?? '').trim().split(' ').map(Number);
      return (quota ?? Number.NaN) / (period ?? Number.NaN);
    }),
    ...foldersOf(read, 'cpu').map(
      (folder) =>
        (numberIn(read(join(folder, 'cpu.cfs_quota_us'))) ?? Number.NaN) /
        (numberIn(read(join(folder, 'cpu.cfs_period_us'))) ?? Number.NaN),
    ),
  ].filter((cpus) => cpus > 0 && Number.isFinite(cpus));
  return quotas.length === 0 ? null : Math.min(...quotas);
}

/** The folders of the group and those above it, of a controller of version 1, or of version 2 for null. */
function foldersOf(read: ReadText, controller: string | null): readonly string[] {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n');
  const own = lines
    .map((line) => /^(\d+):([^:]*):(.*)$/.exec(line))
    .find((found) => {
      if (found === null) return false;
      const [, , controllers = ''] = found;
      return controller === null ? controllers === '' : controllers.split(',').includes(controller);
    });
  if (own == null) return [];
  const root = controller === null ? ROOT : join(ROOT, controller);
  const folders = [root];
  let folder = root;
  // A path out of the namespace (`/../x`) is not visible here: the root of the mount is the container's own group.
  for (const part of (own[3] ?? '').split('/')) {
    if (part === '..') return [root];
    if (part === '') continue;
    folder = join(folder, part);
    folders.push(folder);
  }
  return folders;
}

function numberIn(text: string | null): number | null {
  return text !== null && /^-?\d+\s*$/.test(text) ? Number(text) : null;
}
