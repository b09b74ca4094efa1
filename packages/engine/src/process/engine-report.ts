/** What can compute on this machine. */
import { type InstructionSet, loadKernels, workingSet } from '@gptj-cloud/kernels';
import { ModelError } from '@gptj-cloud/model';
import { type Backend, type EnginePackage, listPackages } from '../llama/find-library.ts';
import { loadLlama } from '../llama/native.ts';
import { usableCores } from '../machine/usable-cores.ts';

export interface EngineReport {
  /** Cores that this process may use. */
  readonly usableCores: number;
  readonly kernels: {
    /** The instruction set that computes right results; null where there is none. */
    readonly instructionSet: InstructionSet | null;
    /** Why there is none. */
    readonly problem: string | null;
  };
  readonly llama: {
    readonly version: string | null;
    readonly directory: string | null;
    readonly backend: Backend | null;
    readonly warnings: readonly string[];
    /** Why it cannot be used. */
    readonly problem: string | null;
  };
  readonly packages: readonly EnginePackage[];
}

/** Loads the libraries into this process. */
export async function reportEngines(): Promise<EngineReport> {
  return {
    usableCores: usableCores(),
    kernels: await reportKernels(),
    llama: reportLlama(),
    packages: listPackages(`${process.platform}-${process.arch}`, import.meta.url),
  };
}

async function reportKernels(): Promise<EngineReport['kernels']> {
  try {
    const library = loadKernels();
    const set = await workingSet(library);
    if (set !== 'none') return { instructionSet: set, problem: null };
    const problem =
      library.fastest === 'none'
        ? `the processor has no ${process.arch === 'arm64' ? 'dot products' : 'AVX2'}`
        : 'they compute wrong results on this processor';
    return { instructionSet: null, problem };
  } catch (error) {
    return { instructionSet: null, problem: messageOf(error) };
  }
}

function reportLlama(): EngineReport['llama'] {
  try {
    const { version, directory, backend, warnings } = loadLlama();
    return { version, directory, backend, warnings, problem: null };
  } catch (error) {
    return { version: null, directory: null, backend: null, warnings: [], problem: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  if (error instanceof ModelError) return error.message;
  throw error;
}
