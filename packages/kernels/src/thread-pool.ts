import { STRUCT_WORDS, Words } from './layout.ts';
import type { KernelLibrary } from './library.ts';
import { type Address, addressOf, loadSystem } from './system.ts';

/** Threads that compute steps together with the thread that calls. Models may share them: one step at a time. */
export interface ThreadPool {
  readonly address: Address;
  /** The caller included. */
  readonly threads: number;
  /** Ends the threads. Call it when no step runs. Idempotent. */
  close(): void;
}

/** Start `threads` - 1 threads, or as many as the system gives. */
export function startThreads(library: KernelLibrary, threads: number): ThreadPool {
  const system = loadSystem();
  const memory = system.allocate(library.poolBytes());
  const services = new Words(new ArrayBuffer(8 * STRUCT_WORDS.services)).put(system.number, ...system.threads);
  const started = library.startPool(memory.address, addressOf(services.integers), threads);
  let isOpen = true;
  return {
    address: memory.address,
    threads: started,
    close() {
      if (!isOpen) return;
      isOpen = false;
      library.stopPool(memory.address);
      memory.free();
    },
  };
}
