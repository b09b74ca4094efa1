import { freemem, totalmem } from 'node:os';
import { cgroupMemory } from './cgroup.ts';
import { type ReadText, readSystemFile } from './read-text.ts';

export interface MachineMemory {
  /** Of the machine, or the limit of the container. */
  readonly totalBytes: number;
  /** What can be taken now without swapping. */
  readonly freeBytes: number;
  /** Whether a limit of a container or service is what counts. */
  readonly isLimited: boolean;
}

interface SystemFacts {
  readonly platform: NodeJS.Platform;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** The memory that this process may use: the machine's, or what a container's limit leaves of it. */
export function readMachineMemory(read: ReadText = readSystemFile, facts: Partial<SystemFacts> = {}): MachineMemory {
  const { platform = process.platform, totalBytes = totalmem(), freeBytes = freemem() } = facts;
  // Other systems count pages of files that they would give up as used: all memory is the better estimate.
  if (platform !== 'linux') return { totalBytes, freeBytes: totalBytes, isLimited: false };
  const available = /^MemAvailable:\s*(\d+) kB$/m.exec(read('/proc/meminfo') ?? '')?.[1];
  const ofMachine = available === undefined ? freeBytes : Number(available) * 1024;
  const group = cgroupMemory(read);
  if (group === null || group.limitBytes >= totalBytes) return { totalBytes, freeBytes: ofMachine, isLimited: false };
  return { totalBytes: group.limitBytes, freeBytes: Math.min(group.freeBytes, ofMachine), isLimited: true };
}
