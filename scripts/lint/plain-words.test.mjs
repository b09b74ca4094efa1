import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPlainWords, findForbiddenWords } from './plain-words.mjs';

const found = (text, path = 'packages/a/src/b.ts') => findForbiddenWords([{ path, text }]).map(({ word }) => word);

test('finds forbidden words in comments, names and texts, with file and line', () => {
  const text = "// Nobody waits.\nconst LEAST_NODE = 20;\nthrow new Error('expected a text, got 7');\n";
  assert.deepEqual(
    findForbiddenWords([{ path: 'packages/a/src/b.ts', text }]).map(({ path, line, word }) => [path, line, word]),
    [
      ['packages/a/src/b.ts', 1, 'Nobody'],
      ['packages/a/src/b.ts', 2, 'LEAST_'],
      ['packages/a/src/b.ts', 3, 'expected a text'],
    ],
  );
});

test('finds forbidden words in paths', () => {
  assert.deepEqual(found('', 'packages/engine/src/step-clock.ts'), ['step-clock']);
});

test('accepts ordinary words that contain forbidden ones', () => {
  assert.deepEqual(
    found(
      [
        'const swish = (x) => x / (1 + exp(-x)); // SwiGLU, Swish',
        'at most: 5; the most common placeholder',
        'readonly era: string; "gptj.lifted"; the operator fulfills it; anybodys_key',
        'stays as it says; a context full of tokens; some body; what it does',
      ].join('\n'),
    ),
    [],
  );
});

test('skips the change log, recorded files and applied migrations', () => {
  for (const path of ['CHANGELOG.md', 'test/goldens/wire/a.json', 'apps/server/src/store/migrations/0001-a.sql']) {
    assert.deepEqual(found('nobody', path), [], path);
  }
  assert.deepEqual(found('nobody', 'test/goldens/README.md'), ['nobody']);
});

test('each occurrence is reported with its place, the word and a replacement', () => {
  const report = checkPlainWords([
    { path: 'packages/a/src/b.ts', text: 'a line\n// whoever' },
    { path: 'docs/c.md', text: 'plain' },
  ]);
  assert.equal(report.length, 1);
  assert.match(report[0], /^packages\/a\/src\/b\.ts:2: "whoever"; write: /);
});
