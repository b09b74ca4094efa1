import {
  type GpuMemory,
  largestGpuMemory,
  type RunProgram,
  readNvidiaGpus,
  runProgram,
} from '../machine/nvidia-gpus.ts';
import type { EngineReport } from './engine-report.ts';
import { probeEngines } from './probe-engines.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Probes {
  readonly run: RunProgram;
  readonly probe: (env: Environment, signal: AbortSignal) => Promise<Pick<EngineReport, 'llama'>>;
}

/**
 * The memory of the GPU that llama.cpp computes on; null where there is no GPU, where no installed package loads for it, or
 * where `ENGINE_GPU_LAYERS` or `GPTJ_ENGINE` say that it is not used. Packages are tried in a process of their own, and only where
 * there is a GPU.
 */
export async function findGpuMemory(
  env: Environment,
  signal: AbortSignal,
  { run, probe }: Probes = { run: runProgram, probe: probeEngines },
): Promise<GpuMemory | null> {
  const isUnused =
    env.ENGINE_GPU_LAYERS?.trim() === '0' || !['', 'auto', 'llama'].includes(env.GPTJ_ENGINE?.trim() ?? '');
  if (isUnused) return null;
  const memory = largestGpuMemory(await readNvidiaGpus(run));
  if (memory === null) return null;
  try {
    const { llama } = await probe(env, signal);
    return llama.problem === null && llama.backend === 'cuda' ? memory : null;
  } catch (error) {
    if (signal.aborted) throw error;
    // The process that loads the libraries has died: the engine would, too.
    return null;
  }
}
