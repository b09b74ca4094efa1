import { availableParallelism } from 'node:os';
import { cgroupCpus } from './cgroup.ts';
import { type ReadText, readSystemFile } from './read-text.ts';

/**
 * Number of physical cores that this process may use, by its set of processors and its quota of processor time.
 * Hyper-threads of one core count once, because matrix products gain nothing from the second. Other systems than Linux
 * report logical cores only, and those are counted.
 */
export function usableCores(
  read: ReadText = readSystemFile,
  facts: { readonly platform?: NodeJS.Platform; readonly logical?: number } = {},
): number {
  const { platform = process.platform, logical = availableParallelism() } = facts;
  if (platform !== 'linux') return logical;
  const cores = new Set(
    allowedCpus(read, logical).map((cpu) => {
      const siblings = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
      return siblings?.trim() ?? `cpu ${cpu}`;
    }),
  );
  const quota = cgroupCpus(read) ?? Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(cores.size, Math.floor(quota)));
}

/** The processors that the process may run on. */
function allowedCpus(read: ReadText, logical: number): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  const all = Array.from({ length: logical }, (_, cpu) => cpu);
  if (list === undefined) return all;
  const allowed = list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return last >= first && last - first < 4096 ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : [];
  });
  return allowed.length === 0 ? all : allowed;
}
