import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { makeTinyModel, type TinyModelFile } from '../tiny-model.fixture.ts';

/** The installed CPU libraries, which stand in for those of a GPU package: their files are named differently there. */
const CPU_BINS = join(
  dirname(dirname(createRequire(import.meta.url).resolve('@node-llama-cpp/linux-x64'))),
  'bins',
  'linux-x64',
);
const onlyLinux = { skip: process.platform === 'linux' && process.arch === 'x64' ? false : 'packages of linux-x64' };

let root: string;
let model: TinyModelFile;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'gptj-gpu-package-'));
  model = await makeTinyModel();
});
after(async () => {
  await rm(root, { recursive: true });
  await model.remove();
});

/** A package as npm installs it, in a folder that NODE_PATH names; resolves to its `bins`. */
async function install(modules: string, name: string): Promise<string> {
  const folder = join(modules, '@node-llama-cpp', name);
  await mkdir(join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ exports: './dist/index.js' }));
  await writeFile(join(folder, 'dist', 'index.js'), '');
  await mkdir(join(folder, 'bins', 'linux-x64-cuda'), { recursive: true });
  return join(folder, 'bins', 'linux-x64-cuda');
}

/** The CPU libraries under the names that they have in the CUDA package. */
async function copyLibraries(bins: string): Promise<void> {
  for (const name of await readdir(CPU_BINS)) {
    await copyFile(join(CPU_BINS, name), join(bins, name.replace(/^(lib(?:ggml|llama))\.(v.*)/, '$1.cuda.$2')));
    // The loader finds dependencies by these names.
    if (/^lib(?:ggml|llama)\.v/.test(name)) await copyFile(join(CPU_BINS, name), join(bins, name));
  }
}

/** What a new process finds: a library is loaded once per process. */
async function open(modules: string, env: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> {
  const script = `
    const { openModel } = await import(${JSON.stringify(new URL('../open-model.js', import.meta.url).href)});
    const opened = await openModel({ path: ${JSON.stringify(model.path)}, cacheCells: 64, checksMemory: false });
    console.log(JSON.stringify({ kind: opened.info.kind, backend: opened.info.backend, warnings: opened.warnings }));
    await opened.close();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...env, NODE_PATH: modules },
  });
  return JSON.parse(stdout);
}

test('a GPU package whose backend does not load is reported in the words of the loader', onlyLinux, async () => {
  const modules = join(root, 'backend');
  const bins = await install(modules, 'linux-x64-cuda');
  await copyLibraries(bins);
  await writeFile(
    join(bins, 'libggml-cuda.so'),
    'no library, but text that is longer than an ELF header has to be.....',
  );
  const fallback = join(await install(modules, 'linux-x64-cuda-ext'), 'fallback');
  await mkdir(fallback);
  await writeFile(join(fallback, 'libggml-cuda.so'), '');
  assert.deepEqual(await open(modules), {
    kind: 'kernels',
    backend: 'cpu',
    warnings: ["llama.cpp's cuda backend found no GPU (invalid ELF header; file too short); the CPU is used"],
  });
  const { kind, warnings } = await open(modules, { GPTJ_LLAMA_BACKEND: 'cpu' });
  assert.deepEqual([kind, warnings], ['kernels', []]);
});

test('a GPU package that does not load at all is refused, and the CPU package is used', onlyLinux, async () => {
  const modules = join(root, 'library');
  const bins = await install(modules, 'linux-x64-cuda');
  await copyLibraries(bins);
  const llama = join(bins, 'libllama.cuda.v0.5.0.so');
  await writeFile(llama, 'no library, but text that is longer than an ELF header has to be.....');
  const expected = [`@node-llama-cpp/linux-x64-cuda: could not load ${llama}: invalid ELF header`];
  assert.deepEqual(await open(modules), { kind: 'kernels', backend: 'cpu', warnings: expected });
  // A model that the kernels do not have would be computed by llama.cpp: from the CPU package.
  const { warnings } = await open(modules, { GPTJ_LLAMA_BACKEND: 'cuda' });
  assert.deepEqual(warnings, [`${expected[0]}; the CPU is used`]);
});
