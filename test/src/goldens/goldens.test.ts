import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GOLDEN_RUNNERS } from './registry.ts';

const copies = new URL('../../goldens/', import.meta.url);

for (const [file, runner] of GOLDEN_RUNNERS) {
  test(`every case of the project's copy of ${file} passes`, async () => {
    const failures: unknown[] = [];
    let passed = 0;
    for await (const result of runner(readFileSync(new URL(file, copies), 'utf8'), fileURLToPath(copies))) {
      if (result.passed) passed += 1;
      else failures.push(result);
    }
    assert.deepEqual(failures, []);
    assert.ok(passed > 0, 'the file holds cases');
  });
}

test('every golden file of the project has a runner', () => {
  const files = readdirSync(copies).filter((name) => name.endsWith('.json'));
  assert.deepEqual(files, [...GOLDEN_RUNNERS.keys()].sort());
});
