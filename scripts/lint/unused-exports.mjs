// Check for unused exports. An export is used if a file of production code imports it, or if tests import it and its own
// file uses it as well. A type counts as used if its own file uses it, for it is part of a signature. A name in a room's
// entry point (src/index.ts) is used if another room imports it; all names in the entry points of published packages
// count as used.
import { posix } from 'node:path';
import { scanModule } from './module-scan.mjs';

const COMPILED = /(?<!from '[./]*)(?:packages|apps)\/[\w-]+\/dist\/[\w/.-]+\.js/g;
const PUBLISHED = new Set(['packages/protocol', 'packages/sdk']);

/** Findings for `files` (`{ path, text }`, of the whole project, package.json files included). */
export function checkUnusedExports(files) {
  return findUnusedExports(files).map(
    ({ path, line, name, fact, remedy }) => `${path}:${line}: ${fact} ${name}; ${remedy}`,
  );
}

/** Every unused export, as `{ path, line, name, fact, remedy }`. */
function findUnusedExports(files) {
  const rooms = readRooms(files);
  const modules = new Map(
    files
      .filter(({ path }) => /\.(?:tsx?|mjs)$/.test(path) && !path.endsWith('.d.ts'))
      .map(({ path, text }) => [path, { path, text, ...scanModule(text) }]),
  );
  const uses = collectUses(modules, rooms);
  return [...modules.values()].flatMap((module) => unusedIn(module, { modules, rooms, uses }));
}

function unusedIn({ path, exports }, { modules, rooms, uses }) {
  const isDoor = /^(?:packages|apps)\/[^/]+\/src\/index\.ts$/.test(path);
  if ((isDoor && PUBLISHED.has(roomOf(path))) || /\.test\.\w+$/.test(path)) return [];
  return exports.flatMap(({ name, local, line, from }) => {
    if (local === '*' || name === 'default') return [];
    const users = [...(uses.get(`${path}#${name}`) ?? [])];
    if (users.some((user) => isNeededBy(user, path, isDoor))) return [];
    const origin = modules.get(from === null ? path : resolve(path, from, rooms));
    const isUsedInside = countName(origin?.text ?? '', local) > 1;
    const isType = origin?.exports.some((one) => one.name === local && one.isType) ?? false;
    if (isUsedInside && (isType || (!isDoor && users.length > 0))) return [];
    const fact = users.length > 0 ? 'only tests use' : isDoor ? 'no other room imports' : 'no other file uses';
    return [{ path, line, name, fact, remedy: from === null && isUsedInside ? 'drop its export' : 'delete it' }];
  });
}

function countName(text, name) {
  const pattern = new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}(?![\\w$])`, 'g');
  return text.match(pattern)?.length ?? 0;
}

function isNeededBy(user, path, isDoor) {
  if (isDoor) return roomOf(user) !== roomOf(path);
  return isTestCode(path) || !isTestCode(user) || roomOf(user) !== roomOf(path);
}

function isTestCode(path) {
  return /\.(?:test|contract|fixture)\.(?:tsx?|mjs)$|\/src\/testing\/|^test\//.test(path);
}

/** For `path#name` the files that use it; a use through a re-export counts for the origin as well. */
function collectUses(modules, rooms) {
  const uses = new Map();
  const note = (path, name, user) => {
    const module = modules.get(path);
    if (module === undefined) return;
    const key = `${path}#${name}`;
    const users = uses.get(key) ?? new Set();
    if (users.has(user)) return;
    uses.set(key, users.add(user));
    for (const { name: exported, local, from } of module.exports) {
      if (from === null || (exported !== name && exported !== '*')) continue;
      const origin = resolve(path, from, rooms);
      if (exported === '*') note(origin, name, user);
      else noteAll(origin, local, user);
    }
  };
  const noteAll = (path, name, user) => {
    if (name !== '*') return note(path, name, user);
    for (const { name: each } of modules.get(path)?.exports ?? []) note(path, each, user);
  };
  for (const { path, text, imports } of modules.values()) {
    // Scripts name compiled files in calls of import().
    for (const [compiled] of path.endsWith('.mjs') ? text.matchAll(COMPILED) : []) {
      noteAll(resolve('.', `./${compiled}`, rooms), '*', path);
    }
    for (const { from, names, all, isReexport } of imports) {
      if (isReexport) continue;
      const target = resolve(path, from, rooms);
      if (all) noteAll(target, '*', path);
      for (const name of names) note(target, name, path);
    }
  }
  // The entry points of published packages use every name that they re-export.
  for (const room of PUBLISHED) noteAll(`${room}/src/index.ts`, '*', 'the world');
  return uses;
}

/** The source file that `specifier` in the file `path` means; null for packages of others. */
function resolve(path, specifier, rooms) {
  if (!specifier.startsWith('.')) return rooms.get(specifier) ?? null;
  const target = posix.join(posix.dirname(path), specifier);
  return target.replace(/^((?:packages|apps)\/[^/]+|test|bench)\/dist\/(.*)\.js$/, '$1/src/$2.ts');
}

/** Name of each workspace package → its entry point. */
function readRooms(files) {
  return new Map(
    files
      .filter(({ path }) => path.endsWith('/package.json'))
      .map(({ path, text }) => [JSON.parse(text).name, `${posix.dirname(path)}/src/index.ts`]),
  );
}

function roomOf(path) {
  return /^(?:(?:packages|apps)\/)?[^/]+/.exec(path)[0];
}
