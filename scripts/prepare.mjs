// Makes a fresh clone runnable: installs the locked packages when they are not there (or the lockfile has changed),
// then compiles. Plain JavaScript, because nothing is compiled yet when it runs.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const MIN_NODE = [20, 19];
const BUILDER = 'apps/dashboard/build.mjs';

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

/** Install and compile, as far as needed. */
export function prepare({ projects = [] } = {}) {
  install();
  compile(projects);
}

/**
 * As `prepare`, and build the dashboard beside the compiler. `projects`: folders to compile with what they refer to;
 * default all. Resolves when that build has ended, with null or one line about its failure; everything else is done when
 * the function returns.
 */
export async function prepareWithDashboard({ projects = [] } = {}) {
  install();
  // Another process, for the compiler occupies this one.
  const site = buildDashboard();
  compile(projects);
  return await site;
}

function install() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    console.error(
      `gptj-cloud needs Node ${MIN_NODE.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org`,
    );
    process.exit(1);
  }
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.gptj-cloud-lock');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    console.error('Installing packages …');
    // Not `npm ci`: it refuses a lockfile without the optional native packages of every other platform, and which of
    // those a registry offers differs. `--no-save` leaves the lockfile as it is.
    run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(stamp, lock);
  }
}

/** Build the dashboard as far as needed, in a process of its own that ends with this one. */
function buildDashboard() {
  const builder = spawn(process.execPath, [join(root, BUILDER)], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = () => builder.kill();
  process.once('exit', stop);
  let output = '';
  builder.stderr.setEncoding('utf8').on('data', (text) => {
    output = (output + text).slice(-10_000);
  });
  return new Promise((resolve) => {
    const end = (failure) => {
      process.off('exit', stop);
      resolve(failure);
    };
    builder.once('error', (error) => end(`The dashboard was not built: ${error.message}`));
    builder.once('close', (code) => {
      const reason = /^.*(?:error|Error).*$/m.exec(output)?.[0]?.trim() ?? `exit status ${code}`;
      const again = `node ${BUILDER}`;
      end(code === 0 ? null : `The dashboard was not built: ${reason} (${again} shows all of it)`);
    });
  });
}

/** Compile what changed: all, or some projects with what they refer to. */
export function compile(projects = []) {
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects]);
}
