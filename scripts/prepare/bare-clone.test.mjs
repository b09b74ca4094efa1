import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scanModule } from '../lint/module-scan.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a module and those that it imports import, other than files of their own. */
function foreignImports(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  // A dynamic import comes after the installation.
  const text = readFileSync(file, 'utf8').replaceAll('import(', 'later(');
  const names = scanModule(text).imports.map(({ from }) => from);
  return names.flatMap((name) => {
    if (name.startsWith('.')) return foreignImports(join(dirname(file), name), seen);
    return name.startsWith('node:') ? [] : [`${file.slice(root.length)}: ${name}`];
  });
}

test('every command of package.json begins without a package, which a fresh clone has not installed yet', () => {
  const { scripts, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const files = Object.values(scripts).flatMap((line) => /^node (\S+\.mjs)/.exec(line)?.[1] ?? []);
  assert.ok(files.length > 5);
  // The command itself imports the second by a name that it computes.
  files.push(...Object.values(bin), 'scripts/run-clone.mjs');
  for (const file of files) assert.deepEqual(foreignImports(join(root, file)), []);
});
