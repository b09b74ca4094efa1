import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GoldenRunner } from './golden-runner.ts';
import { runGoldenFolder } from './run-folder.ts';

const RUNNERS: ReadonlyMap<string, GoldenRunner> = new Map<string, GoldenRunner>([
  [
    'two.json',
    function* (text) {
      yield { name: 'good', passed: true };
      yield { name: 'bad', passed: false, expected: '1', got: text };
    },
  ],
  [
    'broken.json',
    function* () {
      yield { name: 'good', passed: true };
      throw new Error('not of this format');
    },
  ],
  ['empty.json', () => []],
]);

async function runOn(files: Readonly<Record<string, string>>): Promise<readonly [string, readonly string[]]> {
  const folder = await mkdtemp(join(tmpdir(), 'goldens-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const lines: string[] = [];
    const { passed, failed } = await runGoldenFolder(folder, RUNNERS, (line) => lines.push(line));
    return [`${passed} passed, ${failed} failed`, lines];
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('failed cases are shown with what was expected and got, and counted', async () => {
  assert.deepEqual(await runOn({ 'two.json': '2' }), [
    '1 passed, 1 failed',
    ['two.json: FAILED bad: expected 1, got 2', 'two.json: 1 passed, 1 failed'],
  ]);
});

test('names JSON files without a runner without counting them, and ignores other files', async () => {
  assert.deepEqual(await runOn({ 'new.json': '{}', 'README.md': '' }), [
    '0 passed, 0 failed',
    ['new.json: not known, left out'],
  ]);
});

test('counts a truncated or empty file as a failure and still runs the other files', async () => {
  assert.deepEqual(await runOn({ 'broken.json': '', 'empty.json': '', 'two.json': '1' }), [
    '2 passed, 3 failed',
    [
      'broken.json: FAILED to run: not of this format',
      'broken.json: 1 passed, 1 failed',
      'empty.json: FAILED to run: the file holds no cases',
      'empty.json: 0 passed, 1 failed',
      'two.json: FAILED bad: expected 1, got 1',
      'two.json: 1 passed, 1 failed',
    ],
  ]);
});
