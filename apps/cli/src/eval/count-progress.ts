/** One line with a bar, a count and the time left on a terminal; elsewhere a line for each tenth. */
import { formatCount, formatDuration } from '../figures.ts';
import type { Output } from '../output.ts';
import { cutTo } from '../printable.ts';
import { drawBar } from '../progress.ts';

const REDRAW_MS = 100;
const BAR_WIDTH = 24;
const PLAIN_STEPS = 10;

export interface CountProgress {
  /** What the first call has done is no part of the rate. */
  update(done: number, total: number): void;
  clear(): void;
}

export function createCountProgress(output: Output, now: () => number, label: string): CountProgress {
  let start: { readonly atMs: number; readonly done: number } | null = null;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let printed = 0;
  let onScreen = false;
  return {
    update(done, total) {
      const nowMs = now();
      start ??= { atMs: nowMs, done };
      const share = total === 0 ? 1 : done / total;
      const rate = (done - start.done) / Math.max(1, nowMs - start.atMs);
      const left = rate > 0 && done < total ? `  ${formatDuration((total - done) / rate)} left` : '';
      const counts = `${formatCount(done)} of ${formatCount(total)}${left}`;
      if (output.columns === null) {
        const steps = Math.floor(share * PLAIN_STEPS);
        if (steps > printed) output.write(`${label}: ${counts}\n`);
        printed = Math.max(printed, steps);
      } else if (nowMs - drawnMs >= REDRAW_MS) {
        drawnMs = nowMs;
        onScreen = true;
        const line = `[${drawBar(share, BAR_WIDTH)}] ${label}  ${counts}`;
        output.write(`\r${cutTo(line, output.columns - 1)}\u001b[K`);
      }
    },
    clear() {
      if (onScreen) output.write('\r\u001b[K');
      onScreen = false;
    },
  };
}
