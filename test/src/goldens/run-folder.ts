import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GoldenRunner } from './golden-runner.ts';

export interface GoldenTotals {
  readonly passed: number;
  readonly failed: number;
}

/** A folder inside another one that is run with it. */
const REFERENCE_FOLDER = 'reference';

/**
 * Run every golden file of a folder that has a runner, in the order of their names; those of the folder `reference` in it last. Writes a line for each failed
 * case and each file; JSON files without a runner are named. A file that cannot be run counts as one failure.
 */
export async function runGoldenFolder(
  folder: string,
  runners: ReadonlyMap<string, GoldenRunner>,
  writeLine: (line: string) => void,
): Promise<GoldenTotals> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith('.json')).map(({ name }) => name);
  let passed = 0;
  let failed = 0;
  for (const name of names.sort()) {
    const runner = runners.get(name);
    if (runner === undefined) {
      writeLine(`${name}: not known, left out`);
      continue;
    }
    const totals = await runGoldenFile(name, folder, runner, writeLine);
    writeLine(`${name}: ${totals.passed} passed, ${totals.failed} failed`);
    passed += totals.passed;
    failed += totals.failed;
  }
  if (entries.some((entry) => entry.isDirectory() && entry.name === REFERENCE_FOLDER)) {
    const totals = await runGoldenFolder(join(folder, REFERENCE_FOLDER), runners, writeLine);
    passed += totals.passed;
    failed += totals.failed;
  }
  return { passed, failed };
}

async function runGoldenFile(
  file: string,
  folder: string,
  runner: GoldenRunner,
  writeLine: (line: string) => void,
): Promise<GoldenTotals> {
  let passed = 0;
  let failed = 0;
  try {
    for await (const result of runner(await readFile(join(folder, file), 'utf8'), folder)) {
      if (result.passed) {
        passed += 1;
        continue;
      }
      failed += 1;
      writeLine(`${file}: FAILED ${result.name}: expected ${shortened(result.expected)}, got ${shortened(result.got)}`);
    }
    if (passed + failed === 0) throw new Error('the file holds no cases');
  } catch (error) {
    failed += 1;
    writeLine(`${file}: FAILED to run: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { passed, failed };
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 300 ? `${line.slice(0, 300)}… (${line.length} characters)` : line;
}
