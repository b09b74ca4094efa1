import { execFile } from 'node:child_process';
import type { MachineMemory } from './machine-memory.ts';

/** Runs a program; null where it is missing, fails or takes longer than a few seconds. */
export type RunProgram = (file: string, args: readonly string[]) => Promise<string | null>;

/** A GPU as its driver describes it. */
export interface NvidiaGpu {
  readonly name: string;
  /** `8.9` */
  readonly capability: string;
  readonly totalMib: number;
  readonly freeMib: number;
  readonly driver: string;
}

/** The memory of a GPU. */
export interface GpuMemory extends MachineMemory {
  readonly name: string;
}

const TIMEOUT_MS = 5000;
const MIB = 2 ** 20;

export const runProgram: RunProgram = (file, args) =>
  new Promise((resolve) => {
    execFile(file, args, { timeout: TIMEOUT_MS, maxBuffer: 2 ** 20 }, (error, stdout) =>
      resolve(error === null ? stdout : null),
    );
  });

/** The GPUs that `nvidia-smi` lists; none where it is missing. */
export async function readNvidiaGpus(run: RunProgram): Promise<readonly NvidiaGpu[]> {
  const query = 'name,compute_cap,memory.total,memory.free,driver_version';
  const text = await run('nvidia-smi', [`--query-gpu=${query}`, '--format=csv,noheader,nounits']);
  return (text ?? '').split('\n').flatMap((line) => {
    const [name, capability, totalMib, freeMib, driver] = line.split(',').map((part) => part.trim());
    if (!name || !capability || !driver || !/^\d+$/.test(totalMib ?? '') || !/^\d+$/.test(freeMib ?? '')) return [];
    return [{ name, capability, totalMib: Number(totalMib), freeMib: Number(freeMib), driver }];
  });
}

/** The memory of the GPU with the most free; null: there is none. */
export function largestGpuMemory(gpus: readonly NvidiaGpu[]): GpuMemory | null {
  const [largest] = gpus.toSorted((a, b) => b.freeMib - a.freeMib);
  if (largest === undefined) return null;
  const { name, totalMib, freeMib } = largest;
  return { name, totalBytes: totalMib * MIB, freeBytes: freeMib * MIB, isLimited: false };
}
