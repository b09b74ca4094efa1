// Makes a clone ready: installs the locked packages that a command needs, compiles, builds the dashboard. Plain JavaScript
// that imports no package, because nothing is installed or compiled when it runs first.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isSiteBuilt } from './dashboard/built-site.mjs';
import { installPackages } from './prepare/install-packages.mjs';
import { step } from './prepare/step.mjs';
import { transpile } from './prepare/transpile.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const MIN_NODE = [20, 19];
const BUILDER = 'apps/dashboard/build.mjs';
const SERVER = 'apps/cli';
const COMPILER = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Run a command in the project's root; end this process with its status when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) {
    console.error(`could not run ${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Install everything and compile everything, as far as needed. */
export async function prepare() {
  await install('all');
  await compile();
}

/**
 * As `prepare`, and build the dashboard beside the compiler. Resolves when both have ended, with null or one line about
 * the failure of that build.
 */
export async function prepareWithDashboard() {
  await install('all');
  const site = buildDashboard();
  await compile();
  return await site;
}

/** Install and write what `gptj serve` needs. */
export async function prepareServer() {
  await install('server');
  // Where the compiler has written `dist`, it keeps account of it.
  const compiled = existsSync(COMPILER) && existsSync(join(root, SERVER, 'dist', 'tsconfig.tsbuildinfo'));
  await step('Compiling the server', () => (compiled ? compile([SERVER]) : transpile(root, SERVER)));
}

/**
 * Install what builds the dashboard and build it, at a low priority, beside a server that answers. Resolves with null or
 * one line about a failure.
 */
export async function prepareDashboard() {
  if (isSiteBuilt(root)) return null;
  try {
    await install('dashboard', { background: true });
  } catch (error) {
    return `The dashboard was not built: ${error.message}`;
  }
  return await step('Building the dashboard', () => buildDashboard({ background: true }));
}

/** Compile what changed: all, or some projects with what they refer to. */
async function compile(projects = []) {
  const status = await ended(start(process.execPath, [COMPILER, '-b', ...projects]));
  if (status !== 0) process.exit(status);
}

/** Install a set of packages. Ends this process when npm fails; in the background, throws. */
async function install(wanted, { background = false } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    console.error(
      `gptj-cloud needs Node ${MIN_NODE.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org`,
    );
    process.exit(1);
  }
  // On standard output npm lists what it added.
  const options = { background, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' };
  const npm = async (args) => {
    const status = await ended(start('npm', args, options));
    if (status === 0) return;
    if (!background) process.exit(status);
    throw new Error(`npm install ended with status ${status}`);
  };
  await installPackages({ root, wanted, npm, print: (line) => console.error(line) });
}

/** Build the dashboard as far as needed. Resolves with null or one line about the failure. */
async function buildDashboard({ background = false } = {}) {
  const builder = start(process.execPath, [join(root, BUILDER)], { background, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  builder.stderr.setEncoding('utf8').on('data', (text) => {
    output = (output + text).slice(-10_000);
  });
  const status = await ended(builder);
  if (status === 0) return null;
  const reason = /^.*(?:error|Error).*$/m.exec(output)?.[0]?.trim() ?? `exit status ${status}`;
  return `The dashboard was not built: ${reason} (node ${BUILDER} shows all of it)`;
}

/** Start a command that ends with this process; in the background, with less right to the processor. */
function start(command, args, { background = false, ...options } = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (background && child.pid !== undefined) lowerPriority(child.pid);
  const stop = () => child.kill();
  process.once('exit', stop);
  child.once('close', () => process.off('exit', stop));
  return child;
}

function lowerPriority(pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended, or the system forbids it.
  }
}

/** The exit status of a command; one that could not be started says why, and has status 1. */
function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`could not run ${child.spawnfile}: ${error.message}`);
      resolve(1);
    });
    child.once('close', (code) => resolve(code ?? 1));
  });
}
