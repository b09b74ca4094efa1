import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { LOOK_MS, readReport } from './signs-of-life.ts';
import type { Stall, StallDetector } from './stall-detector.ts';

export interface ChildWatch {
  /** Look for stalls from now on; earlier reports are read and dropped. */
  begin(): void;
  end(): void;
}

/** Read the reports of an engine process' watcher. `onStall` is called at most once. */
export function watchChild(reports: Readable, detector: StallDetector, onStall: (stall: Stall) => void): ChildWatch {
  let timer: NodeJS.Timeout | null = null;
  const lines = createInterface({ input: reports });
  const end = (): void => {
    if (timer !== null) clearInterval(timer);
    lines.close();
  };
  const decide = (stall: Stall | null): void => {
    if (stall === null) return;
    end();
    onStall(stall);
  };
  // The other end closes with the process, whose exit is reported elsewhere.
  reports.on('error', () => {});
  lines.on('line', (line) => {
    if (timer !== null) decide(detector.look(readReport(line)));
  });
  return {
    begin() {
      timer = setInterval(() => decide(detector.tick()), LOOK_MS);
    },
    end,
  };
}
