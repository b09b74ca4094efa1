// Installs the locked packages that a step needs and keeps what earlier steps have installed. The file STAMP says what is
// complete, the file MARK that an installation runs or was interrupted.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { step } from './step.mjs';

/** Sets of packages, each with all before it: what `npm start` serves with, what builds the dashboard, and all others. */
const SETS = ['server', 'dashboard', 'all'];

const OPTIONS = {
  server: ['--omit=dev', '--workspace=apps/cli', '--include-workspace-root'],
  // Adds to those of the server. Without the root, whose development packages are those of tests and lint.
  dashboard: ['--include=dev', '--workspace=apps/dashboard'],
  // Named, for `NODE_ENV=production` leaves them out.
  all: ['--include=dev'],
};

const TITLES = {
  server: 'Installing the packages of the server',
  dashboard: 'Installing the packages that build the dashboard',
  all: 'Installing the packages, with those of tests and lint',
};

/** One package of each set that no smaller set has. `npm prune` removes it with the others. */
const SIGNS = { server: 'koffi', dashboard: 'vite', all: '@biomejs/biome' };

const STAMP = '.gptj-cloud-packages.json';
const MARK = '.gptj-cloud-installing.json';
/** Of npm: what its last complete installation has put there. */
const INSTALLED = '.package-lock.json';
const WAIT_MS = 300;
const MAX_WAIT_MS = 600_000;

/**
 * Install the set `wanted`, as far as it is not there. `npm(args)` runs npm in the project's `root` and throws when it
 * fails.
 */
export async function installPackages({ root, wanted, npm, print }) {
  const folder = join(root, 'node_modules');
  await waitForOthers(folder, print);
  const lockText = readFileSync(join(root, 'package-lock.json'));
  const lock = createHash('sha256').update(lockText).digest('hex');
  if (existsSync(join(folder, MARK))) removeUnfinished(folder, JSON.parse(lockText), lock);
  const stamp = readStamp(folder);
  const install = missingSet({ stamp, lock, wanted, found: existsSync(folder) });
  if (install === null) return;
  const isAdded = install === 'dashboard' && !(stamp?.lock === lock && stamp.packages === 'server');
  const steps = isAdded ? ['server', 'dashboard'] : [install];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, MARK), JSON.stringify({ pid: process.pid }));
  // Not `npm ci`: it refuses a lockfile without the optional native packages of every other platform, and which of
  // those a registry offers differs. `--no-save` leaves the lockfile as it is.
  const args = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
    '--prefer-offline',
  ];
  const detail = () => `${countPackages(folder)} packages so far`;
  for (const set of steps) await step(TITLES[set], () => npm([...args, ...OPTIONS[set]]), { detail, print });
  writeFileSync(join(folder, STAMP), JSON.stringify({ lock, packages: install }));
  rmSync(join(folder, MARK), { force: true });
}

/** What an earlier call has installed, less what `npm prune` has removed; null when there is nothing of it. */
function readStamp(folder) {
  const stamp = readJson(join(folder, STAMP));
  const sets = SETS.slice(0, SETS.indexOf(stamp?.packages) + 1);
  const packages = sets.findLast((set) => existsSync(join(folder, SIGNS[set], 'package.json')));
  return packages === undefined ? null : { ...stamp, packages };
}

/** The set to install, so that `wanted` is there; null when it is. Never less than what was there before. */
function missingSet({ stamp, lock, wanted, found }) {
  // Another program has installed: with everything, as `npm install` does.
  if (stamp === null) return found ? 'all' : wanted;
  const most = SETS[Math.max(SETS.indexOf(wanted), SETS.indexOf(stamp.packages))];
  return stamp.lock === lock && stamp.packages === most ? null : most;
}

/** Another start in this folder may be installing. */
async function waitForOthers(folder, print) {
  const until = Date.now() + MAX_WAIT_MS;
  let said = false;
  for (;;) {
    const pid = readJson(join(folder, MARK))?.pid;
    if (!Number.isInteger(pid) || pid < 1 || pid === process.pid || !isRunning(pid) || Date.now() > until) return;
    if (!said) print?.(`Waiting for the installation by process ${pid} …`);
    said = true;
    await delay(WAIT_MS);
  }
}

/**
 * npm takes a package for installed as soon as its package.json is there. After an interruption that added packages, those
 * of its last complete installation are whole; after any other, none is certain.
 */
function removeUnfinished(folder, { packages }, lock) {
  const added = readJson(join(folder, STAMP))?.lock === lock;
  const whole = readJson(join(folder, INSTALLED))?.packages;
  if (!added || whole === undefined) {
    rmSync(folder, { recursive: true, force: true });
    return;
  }
  for (const [path, { link }] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') || link || path in whole) continue;
    rmSync(join(folder, '..', path), { recursive: true, force: true });
  }
  rmSync(join(folder, MARK));
}

/** npm makes all folders first, and fills them then. */
function countPackages(folder) {
  const names = list(folder).flatMap((name) =>
    name.startsWith('@') ? list(join(folder, name)).map((inner) => join(name, inner)) : [name],
  );
  return names.filter((name) => existsSync(join(folder, name, 'package.json'))).length;
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
