import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { LOOK_MS, readReport } from './signs-of-life.ts';
import type { Stall, StallDetector } from './stall-detector.ts';

export interface ChildWatch {
  /** Look for stalls from now on; earlier reports are read and dropped. */
  begin(): void;
  end(): void;
}

export interface ChildWatchListener {
  /** The step of a generation may stall: called once for each step that does. */
  onSuspect(generation: number): void;
  /** Called at most once. */
  onStall(stall: Stall): void;
}

/** Read the reports of an engine process' watcher. */
export function watchChild(reports: Readable, detector: StallDetector, listener: ChildWatchListener): ChildWatch {
  let suspect: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  const lines = createInterface({ input: reports });
  const end = (): void => {
    if (timer !== null) clearInterval(timer);
    lines.close();
  };
  const decide = (stall: Stall | null): void => {
    if (stall === null) return;
    end();
    listener.onStall(stall);
  };
  // The other end closes with the process, whose exit is reported elsewhere.
  reports.on('error', () => {});
  lines.on('line', (line) => {
    if (timer === null) return;
    const stall = detector.look(readReport(line));
    if (detector.suspect !== null && detector.suspect !== suspect) listener.onSuspect(detector.suspect);
    suspect = detector.suspect;
    decide(stall);
  });
  return {
    begin() {
      timer = setInterval(() => decide(detector.tick()), LOOK_MS);
    },
    end,
  };
}
