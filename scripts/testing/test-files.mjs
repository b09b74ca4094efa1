// Maps the paths of `npm test -- PATH …` to compiled test files.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { TestUsageError } from './test-arguments.mjs';

const ROOT_FOLDERS = ['packages', 'apps', 'test', 'bench', 'clients', 'scripts'];
const IGNORED_FOLDERS = new Set(['node_modules', 'src']);

/**
 * Test files to run, absolute and sorted: all of them when no path is given. Paths are relative to `cwd`, or to the
 * project's root when nothing is there. Throws TestUsageError for a path without tests.
 */
export function selectTestFiles(root, paths, cwd = root) {
  const all = ROOT_FOLDERS.flatMap((folder) => testFiles(root, join(root, folder))).sort();
  if (paths.length === 0) return all;
  const chosen = new Set();
  for (const path of paths) {
    const matching = matchPath(root, path, cwd, all);
    for (const file of matching) chosen.add(file);
  }
  return all.filter((file) => chosen.has(file));
}

function matchPath(root, path, cwd, all) {
  const places = [...new Set([resolve(cwd, path), resolve(root, path)])];
  const place = places.find((candidate) => existsSync(candidate));
  if (place === undefined) {
    throw new TestUsageError(`${path}: no such file or folder; looked for ${places.join(' and ')}`);
  }
  const target = compiledPath(root, place) ?? place;
  if (statSync(place).isDirectory()) {
    const below = all.filter((file) => file === target || file.startsWith(target + sep));
    if (below.length === 0) throw new TestUsageError(`${path}: no test files in this folder`);
    return below;
  }
  const file = target.replace(/(?<!\.test)\.(m?js)$/, '.test.$1');
  if (all.includes(file)) return [file];
  throw new TestUsageError(
    `${path}: expected a test file, or a file with a test beside it; there is no ${relative(root, file)}`,
  );
}

/** `packages/x/src/a.ts` → `packages/x/dist/a.js`; a room's own folder → its `dist`; null for what is not compiled. */
function compiledPath(root, place) {
  const parts = relative(root, place).split(sep);
  const src = parts.indexOf('src');
  if (src < 0) return null;
  return join(root, ...parts.slice(0, src), 'dist', ...parts.slice(src + 1)).replace(/\.ts$/, '.js');
}

function testFiles(root, folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return IGNORED_FOLDERS.has(entry.name) ? [] : testFiles(root, path);
    if (entry.name.endsWith('.test.mjs')) return [path];
    return entry.name.endsWith('.test.js') && isCompiled(root, path) ? [path] : [];
  });
}

/** Whether a file in `dist` still has its source: the compiler leaves the output of files that were moved or deleted. */
function isCompiled(root, path) {
  const parts = relative(root, path).split(sep);
  const dist = parts.indexOf('dist');
  if (dist < 0) return false;
  const source = join(root, ...parts.slice(0, dist), 'src', ...parts.slice(dist + 1)).replace(/\.js$/, '.ts');
  return existsSync(source);
}
