// The import law of apps/server/src, as `server-rooms.mjs` declares it.
import { posix } from 'node:path';
import { scanModule } from './module-scan.mjs';
import { PACKAGE_RULES, SCHEMA_LIST, SERVER_ROOMS } from './server-rooms.mjs';

const ROOT = 'apps/server/src/';

/** Findings for `files` (`{ path, text }`, of the whole project). */
export function checkImportLaw(files) {
  return files
    .filter(({ path }) => path.startsWith(ROOT) && path.endsWith('.ts'))
    .flatMap(violationsOf)
    .map(({ from, line, to, law, remedy }) => `${ROOT}${from}:${line} imports ${to}: ${law}; ${remedy}`);
}

/** Every violation in one file, as `{ from, line, to, law, remedy }`. */
function violationsOf({ path, text }) {
  const from = path.slice(ROOT.length);
  if (isTest(from)) return [];
  const room = roomOf(from);
  if (room === null) {
    const law = 'every file of the server belongs to a room';
    return [
      { from, line: 1, to: 'anything', law, remedy: 'move it, or add its room to scripts/lint/server-rooms.mjs' },
    ];
  }
  if (room.mayImport === null) return [];
  return scanModule(text).imports.flatMap(({ from: specifier, line }) => {
    const found = specifier.startsWith('.')
      ? brokenByFile(from, room, posix.join(posix.dirname(from), specifier))
      : brokenByPackage(from, specifier);
    return found === null ? [] : [{ from, line, ...found }];
  });
}

function brokenByPackage(from, specifier) {
  const rule = PACKAGE_RULES.find(({ packages }) => packages.test(specifier));
  if (rule === undefined || rule.from.test(from)) return null;
  return { to: specifier, law: rule.law, remedy: rule.remedy };
}

function brokenByFile(from, room, to) {
  if (from === SCHEMA_LIST && isTables(to)) return null;
  const target = roomOf(to);
  if (target === null) return null;
  if (target !== room && !room.mayImport.includes(target.name)) {
    const law = `${room.name} may not import ${target.name}, only ${room.mayImport.join(', ')}`;
    const remedy = `move the code, or declare in ${room.name} what it needs and pass it in where the server is composed`;
    return { to, law, remedy };
  }
  if (isTables(to) && !isTables(from) && !(from.endsWith('-store.ts') && isBelow(posix.dirname(to), from))) {
    const law = `only the *-store.ts files of ${posix.dirname(to)}/ import its tables`;
    return { to, law, remedy: 'ask its store or its service' };
  }
  return null;
}

function roomOf(path) {
  return SERVER_ROOMS.find(({ holds }) => holds.some((place) => path === place || isBelow(place, path))) ?? null;
}

function isBelow(folder, path) {
  return path.startsWith(`${folder}/`);
}

function isTables(path) {
  return path.endsWith('-tables.ts');
}

function isTest(path) {
  return /\.(?:test|contract)\.ts$/.test(path);
}
