import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFileLength } from './file-length.mjs';

const file = (path, lines) => ({ path, text: 'x\n'.repeat(lines) });

test('a source file of 401 lines is reported, one of 400 is not', () => {
  const findings = checkFileLength([file('a.ts', 400), file('b.test.ts', 401), file('c.md', 900), file('d.json', 900)]);
  assert.equal(findings.length, 1);
  assert.match(findings[0], /^b\.test\.ts: 401 lines, expected at most 400/);
});
