import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.js') && !name.endsWith('.test.js') && !name.startsWith('testing'),
);

/** Import and re-export statements, and `import(…)`. */
const IMPORTS = /(?:\bfrom\s+|^import\s+|\bimport\s*\(\s*)['"]([^'"\n]+)['"]\)?;?$/gm;

test('the compiled files load in a browser: imports are relative, and no global of Node is used', () => {
  assert.ok(files.includes('index.js'));
  for (const file of files) {
    const code = readFileSync(join(dist, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, specifier = ''] of code.matchAll(IMPORTS)) {
      assert.match(specifier, /^\.{1,2}\/.*\.js$/, file);
    }
    assert.doesNotMatch(code, /(?<!\.)\b(?:process|Buffer|require|global|setImmediate|__dirname)\b\s*[.([]/, file);
  }
});
