// Installs each artefact in an empty folder and uses it as a reader of the documentation would.
import { spawn, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getPage } from './get-page.mjs';

const MAX_INSTALLED_MB = 120;
const TOKEN = 'token-of-the-release-check';
const PROMPT = 'Once upon a time';
const START_MS = 60_000;

const PROGRAM = `import { PipelineCloud } from '@gptj-cloud/sdk';

const api = new PipelineCloud();
const text: string = await api.generate('${PROMPT}', { max_new_tokens: 8 });
if (text.length === 0) throw new Error('expected a string with a character, got an empty one');
console.log(text);
`;

const PYTHON = `from pipeline import PipelineCloud
api = PipelineCloud()
run = api.run_pipeline("pipeline_d7502b78863744c495d7d22f321cf7ff", ["${PROMPT}", {"response_length": 8}])
assert run["result_preview"][0][0], run
print(run["result_preview"][0][0])
`;

/** Throws for the first that does not work. `folder`: an empty place, outside the checkout. */
export async function checkArtefacts({ root, artefacts, folder }) {
  const server = join(folder, 'installed');
  emptyPackage(server);
  const installing = performance.now();
  call('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline', artefacts.server], server);
  const seconds = ((performance.now() - installing) / 1000).toFixed(1);
  const size = bytesBelow(join(server, 'node_modules')) / 1e6;
  console.log(`gptj-cloud: installed in ${seconds} s, ${size.toFixed(1)} MB`);
  if (size >= MAX_INSTALLED_MB) throw new Error(`expected less than ${MAX_INSTALLED_MB} MB installed, got ${size} MB`);
  const foreign = foreignEngines(join(server, 'node_modules', '@node-llama-cpp'));
  if (foreign.length > 0) throw new Error(`expected no engine of another system, got ${foreign.join(', ')}`);
  const running = await startServer(server);
  try {
    await checkPages(running.url);
    const env = { PIPELINE_API_URL: running.url, PIPELINE_API_TOKEN: TOKEN };
    const said = call('npx', ['--no-install', 'gptj', 'run', PROMPT, '--max-new-tokens', '8'], server, env);
    if (said.trim() === '') throw new Error('gptj run: expected a continuation, got an empty one');
    checkSdk({ root, folder: join(folder, 'typescript'), tarball: artefacts.sdk, env });
    checkWheel({ folder: join(folder, 'python'), wheel: artefacts.wheel, env });
  } finally {
    await running.stop();
  }
}

function checkSdk({ root, folder, tarball, env }) {
  emptyPackage(folder);
  call('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline', tarball], folder);
  writeFileSync(join(folder, 'index.ts'), PROGRAM);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  call(process.execPath, [compiler, '--init'], folder);
  call(process.execPath, [compiler, '-p', '.'], folder);
  call(process.execPath, ['index.js'], folder, env);
  console.log('@gptj-cloud/sdk: compiled under the options of tsc --init, and ran');
}

function checkWheel({ folder, wheel, env }) {
  mkdirSync(folder);
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) {
    console.log('the wheel: not checked, for there is no python3 with pip');
    return;
  }
  const target = join(folder, 'site');
  call('python3', ['-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps', '--target', target, wheel], folder);
  call('python3', ['-c', PYTHON], folder, { ...env, PYTHONPATH: target });
  console.log('the wheel: installed, and ran');
}

async function checkPages(url) {
  for (const [path, expected] of [
    ['/', '<script type="module"'],
    ['/docs', '<h1'],
  ]) {
    const { status, text } = await getPage(url + path);
    if (status !== 200 || !text.includes(expected))
      throw new Error(`${path}: expected ${expected}, got ${status} ${text}`);
  }
}

/** `gptj serve` in a folder of its own. Resolves when it answers. */
async function startServer(folder) {
  const startedAt = performance.now();
  const data = join(folder, 'data');
  const server = spawn(process.execPath, [join(folder, 'node_modules/gptj-cloud/bin/gptj.mjs'), 'serve'], {
    cwd: folder,
    env: { ...environment(), PORT: '0', DATA_DIR: data, GPTJ_API_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise((resolve) => server.once('close', resolve));
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`gptj serve: no start-up line within a minute\n${output}`)),
      START_MS,
    );
    const read = (text) => {
      output += text;
      const found = /listens on (http:\/\/\S+):\s/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    server.stdout.setEncoding('utf8').on('data', read);
    server.stderr.setEncoding('utf8').on('data', read);
    server.once('close', (code) => reject(new Error(`gptj serve ended with status ${code}\n${output}`)));
  }).catch((error) => {
    server.kill('SIGKILL');
    throw error;
  });
  console.log(`gptj serve: listens after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return {
    url,
    async stop() {
      server.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function emptyPackage(folder) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
}

/** Engines that this machine cannot load. */
function foreignEngines(folder) {
  const system = { linux: 'linux', darwin: 'mac', win32: 'win' }[process.platform];
  return readdirSync(folder).filter((name) => !name.startsWith(`${system}-${process.arch}`));
}

function bytesBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(folder, name)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

/** This process's environment without what npm and other programs add for the checkout. */
function environment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_|GPTJ_|PIPELINE_|INIT_CWD)/.test(name)),
  );
}

function call(command, args, cwd, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...environment(), ...env },
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `${stdout}${stderr}`}`);
}
