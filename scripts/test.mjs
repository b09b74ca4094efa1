// `npm test`: install, compile, then every test file of every room on compiled output with Node's own runner.
// Arguments narrow it down: `npm test -- packages/pickle` runs the tests below that folder.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
const places = process.argv.slice(2);
const files = ['packages', 'apps', 'test', 'bench', 'clients']
  .flatMap((folder) => testFiles(join(root, folder)))
  .filter((file) => places.length === 0 || places.some((place) => relative(root, file).startsWith(place)));
if (files.length === 0) {
  console.error(`no test files below ${places.join(', ')}`);
  process.exit(1);
}
// Node's own choice leaves one core idle, which of two is half of the machine.
const atOnce = `--test-concurrency=${availableParallelism()}`;
run(process.execPath, ['--enable-source-maps', '--test', atOnce, ...files]);

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: false }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(path);
    const compiled = path.split(/[\\/]/).includes('dist');
    return compiled && entry.name.endsWith('.test.js') ? [path] : [];
  });
}
