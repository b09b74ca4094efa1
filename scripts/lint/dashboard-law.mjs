// The import law of apps/dashboard/src, as `dashboard-rooms.mjs` declares it.
import { posix } from 'node:path';
import { DASHBOARD_PACKAGES, DASHBOARD_ROOMS } from './dashboard-rooms.mjs';
import { scanModule } from './module-scan.mjs';

const ROOT = 'apps/dashboard/src/';

/** Findings for `files` (`{ path, text }`, of the whole project). */
export function checkDashboardLaw(files) {
  return files
    .filter(({ path }) => path.startsWith(ROOT) && /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .flatMap(violationsOf)
    .map(({ from, line, to, law, remedy }) => `${ROOT}${from}:${line} imports ${to}: ${law}; ${remedy}`);
}

function violationsOf({ path, text }) {
  const from = path.slice(ROOT.length);
  const room = roomOf(from);
  if (room === null) {
    const law = 'every file of the dashboard belongs to a room';
    return [
      { from, line: 1, to: 'anything', law, remedy: 'move it, or add its room to scripts/lint/dashboard-rooms.mjs' },
    ];
  }
  const lines = text.split('\n');
  return scanModule(text).imports.flatMap(({ from: specifier, line }) => {
    const found = specifier.startsWith('.')
      ? brokenByFile(room, posix.join(posix.dirname(from), specifier))
      : brokenByPackage(specifier, /^(?:import|export) type /.test(lines[line - 1] ?? ''));
    return found === null ? [] : [{ from, line, ...found }];
  });
}

function brokenByFile(room, to) {
  const target = roomOf(to);
  if (target === null || target === room || room.mayImport.includes(target.name)) return null;
  const law = `${room.name} may not import ${target.name}, only ${room.mayImport.join(', ') || 'itself'}`;
  return { to, law, remedy: 'move what both need to ui/, or to api/ where it asks the server' };
}

function brokenByPackage(specifier, isTypes) {
  if (!specifier.startsWith('@gptj-cloud/')) return null;
  const allowed = DASHBOARD_PACKAGES.get(specifier);
  if (allowed === undefined) {
    const law = `the dashboard imports only ${[...DASHBOARD_PACKAGES.keys()].join(', ')}`;
    return { to: specifier, law, remedy: 'ask the server, which knows it' };
  }
  if (allowed === 'values' || isTypes) return null;
  const law = 'its validators would be a large part of every page';
  return { to: specifier, law, remedy: 'write `import type`, or ask the SDK, which reads replies' };
}

function roomOf(path) {
  return (
    DASHBOARD_ROOMS.find(({ holds }) => holds.some((place) => path === place || path.startsWith(`${place}/`))) ?? null
  );
}
