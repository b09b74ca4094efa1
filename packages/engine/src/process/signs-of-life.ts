/**
 * What the main thread of the engine's process does, as a watcher in another thread sees it. The main thread writes to
 * shared memory, which costs nothing; the watcher reads it and reports to the server's process, a line a look.
 */

/** Milliseconds between two looks of the watcher. */
export const LOOK_MS = 250;
/** File descriptor on which the watcher reports, in the engine's process. */
export const WATCH_FD = 4;

const BEATS = 0;
const STEPS = 1;
const GENERATION = 2;
const EVALUATIONS = 3;
const SLOTS = 4;
const NONE = -1;

/** One look. Counts wrap around; only whether they change is of interest. */
export interface SignsOfLife {
  /** Turns of the event loop that a timer has seen. */
  readonly beats: number;
  /** Beginnings and ends of steps of generations. */
  readonly steps: number;
  /** The generation whose step is under way, by the id of the server's process; null between steps. */
  readonly generation: number | null;
  /** Beginnings and ends of evaluations: odd while the model evaluates. */
  readonly evaluations: number;
  /** Processor time of the main thread in milliseconds; null where the system does not report it. */
  readonly cpuMs: number | null;
}

export function createSharedSigns(): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(shared)[GENERATION] = NONE;
  return shared;
}

/** The writing side, for the main thread. */
export interface SignWriter {
  beat(): void;
  beginStep(generation: number | null): void;
  endStep(): void;
  /** An evaluation begins or ends. */
  turnEvaluation(): void;
}

export function writeSigns(shared: SharedArrayBuffer): SignWriter {
  const slots = new Int32Array(shared);
  return {
    beat: () => void Atomics.add(slots, BEATS, 1),
    beginStep(generation) {
      Atomics.store(slots, GENERATION, generation ?? NONE);
      Atomics.add(slots, STEPS, 1);
    },
    endStep() {
      Atomics.store(slots, GENERATION, NONE);
      Atomics.add(slots, STEPS, 1);
    },
    turnEvaluation: () => void Atomics.add(slots, EVALUATIONS, 1),
  };
}

/** The report of one look, with its line break. */
export function toReport(shared: SharedArrayBuffer, cpuMs: number | null): string {
  const slots = new Int32Array(shared);
  return `${[BEATS, STEPS, GENERATION, EVALUATIONS].map((slot) => Atomics.load(slots, slot)).join(' ')} ${cpuMs ?? NONE}\n`;
}

export function readReport(line: string): SignsOfLife {
  const [beats = 0, steps = 0, generation = NONE, evaluations = 0, cpuMs = NONE] = line.split(' ').map(Number);
  return {
    beats,
    steps,
    generation: generation === NONE ? null : generation,
    evaluations,
    cpuMs: cpuMs === NONE ? null : cpuMs,
  };
}
