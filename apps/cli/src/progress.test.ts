import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advance,
  createProgressPrinter,
  type Progress,
  progressLine,
  rateOf,
  startProgress,
  timeLeftMs,
} from './progress.ts';
import { recordingOutput } from './testing/recording-output.ts';

const GB = 1e9;

/** 100 MB/s for 10 s of a 2.4 GB file. */
function steady(): Progress {
  let progress = startProgress(2.4 * GB, 1000);
  for (let second = 1; second <= 10; second++) progress = advance(progress, second * 0.1 * GB, 1000 + second * 1000);
  return progress;
}

test('shows bar, percentage, rate and time left, and the label where it fits', () => {
  assert.equal(
    progressLine(steady(), 'transformer.h.3.mlp.fc_in.weight', 110),
    '[████████████▌·················]  41 %   100 MB/s  14 s left         transformer.h.3.mlp.fc_in.weight',
  );
  assert.equal(
    progressLine(steady(), 'transformer.h.3.mlp', 60),
    '[█████████▌·············]  41 %   100 MB/s  14 s left',
  );
});

test('never exceeds the width of the terminal', () => {
  for (let width = 1; width < 160; width++) {
    assert.ok(progressLine(steady(), 'x'.repeat(200), width).length <= width, `at width ${width}`);
  }
});

test('measures rate and time left over the last ten seconds', () => {
  let progress = steady();
  assert.equal(rateOf(progress), 0.1 * GB);
  assert.equal(timeLeftMs(progress), 14_000);
  for (let second = 1; second <= 20; second++)
    progress = advance(progress, GB + second * 0.01 * GB, 11_000 + second * 1000);
  assert.equal(Math.round(rateOf(progress)! / 1e6), 10);
});

test('shows no rate and no time left during the first half second', () => {
  const started = advance(startProgress(100, 0), 10, 100);
  assert.equal(rateOf(started), null);
  assert.equal(timeLeftMs(started), null);
  assert.equal(progressLine(started, '', 50), '[█▎···········]  10 %');
});

test('keeps the number of samples bounded however often progress is updated', () => {
  let progress = startProgress(1e6, 0);
  for (let ms = 1; ms < 60_000; ms++) progress = advance(progress, ms, ms);
  assert.ok(progress.samples.length < 50);
});

test('shows 100 % for an empty file and for more bytes than announced', () => {
  assert.match(progressLine(startProgress(0, 0), '', 50), /\] 100 %$/);
  assert.match(progressLine(advance(startProgress(10, 0), 20, 1000), '', 50), /\] 100 % +20 B\/s$/);
});

test('redraws one line on a terminal, at most ten times a second, and erases it at the end', () => {
  const { output, text } = recordingOutput({ columns: 60 });
  let nowMs = 0;
  const printer = createProgressPrinter(output, () => nowMs);
  for (nowMs = 0; nowMs <= 1000; nowMs += 10) printer.update(nowMs, 1000, 'a\u001b[2Jb');
  printer.clear();
  printer.clear();
  assert.equal(text().split('\r').length - 1, 12);
  assert.ok(text().endsWith('\r\u001b[K'));
  assert.ok(!text().includes('\n'));
  assert.ok(!text().includes('\u001b[2J'));
});

test('prints a line for each tenth where the output is not a terminal', () => {
  const { output, text } = recordingOutput({});
  let nowMs = 0;
  const printer = createProgressPrinter(output, () => nowMs);
  for (let done = 0; done <= 1000; done++) {
    nowMs += 10;
    printer.update(done * 1e6, 1000 * 1e6, 'x');
  }
  printer.clear();
  const lines = text().trimEnd().split('\n');
  assert.equal(lines.length, 10);
  assert.equal(lines[4], '50 %  500 MB of 1.00 GB  100 MB/s');
  assert.ok(!text().includes('\r'));
});
