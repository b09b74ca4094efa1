/**
 * Progress through a known number of bytes. State and text are pure functions; only `createProgressPrinter` writes. The
 * rate is measured over the last ten seconds, so that the time left follows a disk that becomes slower.
 */
import { formatBytes, formatDuration } from './figures.ts';
import type { Output } from './output.ts';
import { cutTo, printable } from './printable.ts';

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export interface Progress {
  readonly totalBytes: number;
  readonly doneBytes: number;
  readonly startMs: number;
  readonly nowMs: number;
  /** Oldest first. The rate is measured from the first one to now. */
  readonly samples: readonly Sample[];
}

const WINDOW_MS = 10_000;
/** Minimum time span of a rate. */
const MIN_SPAN_MS = 500;
/** Samples closer together than this are merged, so that the list stays short. */
const SAMPLE_MS = 250;
const REDRAW_MS = 100;
const MAX_BAR_WIDTH = 30;
const PLAIN_STEPS = 10;

/** `doneBytes` were done before, and are no part of the rate. */
export function startProgress(totalBytes: number, nowMs: number, doneBytes = 0): Progress {
  return { totalBytes, doneBytes, startMs: nowMs, nowMs, samples: [{ atMs: nowMs, bytes: doneBytes }] };
}

export function advance(progress: Progress, doneBytes: number, nowMs: number): Progress {
  const { samples } = progress;
  const newest = samples[samples.length - 1]!;
  const merged = nowMs - newest.atMs < SAMPLE_MS ? samples : [...samples, { atMs: nowMs, bytes: doneBytes }];
  // The last sample before the window is kept: a slow disk may have no other sample to measure from.
  const first = merged.findLastIndex((sample) => sample.atMs <= nowMs - WINDOW_MS);
  return { ...progress, doneBytes, nowMs, samples: merged.slice(Math.max(0, first)) };
}

/** Bytes per second over the last ten seconds; null before `MIN_SPAN_MS` have passed. */
export function rateOf(progress: Progress): number | null {
  const oldest = progress.samples[0]!;
  const spanMs = progress.nowMs - oldest.atMs;
  const bytes = progress.doneBytes - oldest.bytes;
  return spanMs >= MIN_SPAN_MS && bytes > 0 ? (bytes / spanMs) * 1000 : null;
}

/** Milliseconds left at the present rate; null while there is no rate. */
export function timeLeftMs(progress: Progress): number | null {
  const rate = rateOf(progress);
  return rate === null ? null : (Math.max(0, progress.totalBytes - progress.doneBytes) / rate) * 1000;
}

/** One line of at most `width` columns: bar, percentage, rate, time left and, where it fits, the label. */
export function progressLine(progress: Progress, label: string, width: number): string {
  const fraction = fractionOf(progress);
  const rate = rateOf(progress);
  const left = timeLeftMs(progress);
  const facts = [
    `${Math.floor(fraction * 100)} %`.padStart(5),
    (rate === null ? '' : `${formatBytes(rate)}/s`).padStart(9),
    (left === null || left === 0 ? '' : `${formatDuration(left)} left`).padEnd(16),
  ].join('  ');
  const barWidth = Math.min(MAX_BAR_WIDTH, width - facts.length - 3);
  const bar = barWidth < 5 ? '' : `[${drawBar(fraction, barWidth)}] `;
  const line = bar + facts;
  const room = width - line.length - 2;
  const shown = room < 8 ? '' : `  ${cutTo(printable(label), room)}`;
  return cutTo(`${line}${shown}`, width).trimEnd();
}

export interface ProgressPrinter {
  update(doneBytes: number, totalBytes: number, label: string): void;
  /** Erase the bar from the terminal. Idempotent. */
  clear(): void;
}

/** On a terminal, one line that is redrawn at most ten times a second; elsewhere, a line for each tenth of the bytes. */
export function createProgressPrinter(output: Output, now: () => number): ProgressPrinter {
  let progress: Progress | null = null;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let printedSteps = 0;
  let onScreen = false;
  return {
    update(doneBytes, totalBytes, label) {
      const nowMs = now();
      progress = advance(progress ?? startProgress(totalBytes, nowMs, doneBytes), doneBytes, nowMs);
      if (output.columns === null) {
        const steps = Math.floor(fractionOf(progress) * PLAIN_STEPS);
        if (steps > printedSteps) output.write(`${plainLine(progress)}\n`);
        printedSteps = steps;
      } else if (nowMs - drawnMs >= REDRAW_MS) {
        drawnMs = nowMs;
        onScreen = true;
        // Some terminals wrap after a character in the last column.
        output.write(`\r${progressLine(progress, label, output.columns - 1)}\u001b[K`);
      }
    },
    clear() {
      if (onScreen) output.write('\r\u001b[K');
      onScreen = false;
    },
  };
}

function plainLine(progress: Progress): string {
  const rate = rateOf(progress);
  const done = `${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)}`;
  return `${Math.floor(fractionOf(progress) * 100)} %  ${done}${rate === null ? '' : `  ${formatBytes(rate)}/s`}`;
}

function fractionOf({ doneBytes, totalBytes }: Progress): number {
  return totalBytes <= 0 ? 1 : Math.min(1, Math.max(0, doneBytes / totalBytes));
}

/** Full cells, then one of eight steps, then `rest`. */
export function drawBar(fraction: number, width: number, rest = '·'): string {
  const eighths = Math.floor(fraction * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  const part = eighths % 8 === 0 ? '' : '▏▎▍▌▋▊▉'[(eighths % 8) - 1]!;
  return (full + part).padEnd(width, rest);
}
