/**
 * The native library: found, loaded and checked. It is one file per system and architecture, built from `native/` by
 * `npm run kernels:build` and committed, so that users need no compiler.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelError } from '@gptj-cloud/model';
import * as koffi from 'koffi';
import { STRUCT_WORDS } from './layout.ts';
import { type Address, loadSystem } from './system.ts';

/** Instruction sets by their numbers in `abi.h`. */
export const INSTRUCTION_SETS = ['none', 'NEON', 'AVX2', 'AVX-512'] as const;

export type InstructionSet = (typeof INSTRUCTION_SETS)[number];

/** The sets that a processor has whose fastest is given, fastest first; none where it has none. */
export function instructionSetsUpTo(fastest: InstructionSet): readonly InstructionSet[] {
  if (fastest === 'none' || fastest === 'NEON') return fastest === 'none' ? [] : ['NEON'];
  return INSTRUCTION_SETS.slice(INSTRUCTION_SETS.indexOf('AVX2'), INSTRUCTION_SETS.indexOf(fastest) + 1).reverse();
}

/** Result codes of a step. */
export const STEP_DONE = 0;
export const STEP_ABORTED = 1;

export interface KernelLibrary {
  readonly path: string;
  /** SHA-256 of the file: another library may round otherwise and lay out its cache otherwise. */
  sha256(): string;
  /** The fastest instruction set of this processor; `none` where the library has nothing for it. */
  readonly fastest: InstructionSet;
  poolBytes(): number;
  /** Number of threads of the pool, the caller included. */
  startPool(pool: Address, services: Address, threads: number): number;
  /** Waits until no thread of the pool looks at the memory of the last step, which may then be freed. */
  restPool(pool: Address): void;
  stopPool(pool: Address): void;
  stepBytes(model: Address, threads: number, set: InstructionSet): number;
  unitBytes(type: number): number;
  /** On another thread. */
  pack(job: BigInt64Array): Promise<void>;
  /** See `measure.ts`. Blocks. */
  measure(words: BigInt64Array): number;
  /** On another thread. Resolves with a result code. */
  step(words: BigInt64Array): Promise<number>;
  /** On this thread, which it blocks: for steps that take less time than to wake another thread and be woken. */
  stepHere(words: BigInt64Array): number;
  /** Index of the largest value, the lowest of equal ones, NaN ignored; -1 when all are -inf. */
  argmax(values: Float32Array, set: InstructionSet): number;
}

/** File of the library, by `process.platform` and `process.arch`. */
const FILES: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64.so',
  'linux-arm64': 'linux-arm64.so',
};

const FOLDER = fileURLToPath(new URL('../bin/', import.meta.url));

let loaded: KernelLibrary | undefined;

/** Load the library, once per process. Throws `library_missing`, `library_unknown`. */
export function loadKernels(platform: string = `${process.platform}-${process.arch}`): KernelLibrary {
  loaded ??= bind(findLibrary(platform));
  return loaded;
}

function findLibrary(platform: string): string {
  const file = FILES[platform];
  if (file === undefined) throw new ModelError('library_missing', `no kernels for ${platform}`);
  const path = join(FOLDER, file);
  if (!existsSync(path)) throw new ModelError('library_missing', `expected the kernels in ${path}, found no file`);
  return path;
}

function bind(path: string): KernelLibrary {
  let library: koffi.LibraryHandle;
  try {
    library = koffi.load(path);
  } catch (cause) {
    throw new ModelError('library_missing', `could not load ${path}: ${(cause as Error).message}`, { cause });
  }
  const structWords = library.func('int64_t gptj_struct_words(int64_t which)');
  for (const [which, [name, words]] of Object.entries(STRUCT_WORDS).entries()) {
    const got = Number(structWords(which));
    if (got !== words) {
      throw new ModelError('library_unknown', `${path}: expected ${words} words in ${name}, got ${got}`);
    }
  }
  const native = {
    instructionSet: library.func('int64_t gptj_instruction_set(int64_t capabilities)'),
    poolBytes: library.func('int64_t gptj_pool_bytes()'),
    poolStart: library.func('int64_t gptj_pool_start(void *pool, void *services, int64_t threads)'),
    poolRest: library.func('void gptj_pool_rest(void *pool)'),
    poolStop: library.func('void gptj_pool_stop(void *pool)'),
    stepBytes: library.func('int64_t gptj_step_bytes(void *model, int64_t threads, int64_t set)'),
    unitBytes: library.func('int64_t gptj_unit_bytes(int64_t type)'),
    pack: library.func('void gptj_pack(void *job)'),
    measure: library.func('int64_t gptj_measure(void *measurement)'),
    step: library.func('int64_t gptj_step(void *step)'),
    argmax: library.func('int64_t gptj_argmax(void *logits, int64_t count, int64_t set)'),
  };
  return {
    path,
    sha256: () => createHash('sha256').update(readFileSync(path)).digest('hex'),
    fastest: INSTRUCTION_SETS[Number(native.instructionSet(loadSystem().capabilities))] ?? 'none',
    poolBytes: () => Number(native.poolBytes()),
    startPool: (pool, services, threads) => Number(native.poolStart(pool, services, threads)),
    restPool: (pool) => void native.poolRest(pool),
    stopPool: (pool) => void native.poolStop(pool),
    stepBytes: (model, threads, set) => Number(native.stepBytes(model, threads, INSTRUCTION_SETS.indexOf(set))),
    unitBytes: (type) => Number(native.unitBytes(type)),
    pack: (job) => inThread<void>(native.pack, job),
    measure: (words) => Number(native.measure(words)),
    step: async (words) => Number(await inThread<number | bigint>(native.step, words)),
    stepHere: (words) => Number(native.step(words)),
    argmax: (values, set) => Number(native.argmax(values, values.length, INSTRUCTION_SETS.indexOf(set))),
  };
}

function inThread<T>(call: koffi.KoffiFunc<(...args: never[]) => unknown>, argument: BigInt64Array): Promise<T> {
  return new Promise((resolve, reject) => {
    (call.async as (...all: unknown[]) => void)(argument, (error: Error | null, result: T) =>
      error ? reject(error) : resolve(result),
    );
  });
}
