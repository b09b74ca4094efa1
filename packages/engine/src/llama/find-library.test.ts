import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type FoundLibrary, findLibrary, findLibraryFile } from './find-library.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gptj-library-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A package as npm installs it, with empty library files. */
async function install(name: string, files: readonly string[]): Promise<string> {
  const folder = join(root, 'node_modules', '@node-llama-cpp', name);
  const bins = join(folder, 'bins', name);
  await mkdir(join(folder, 'dist'), { recursive: true });
  await mkdir(bins, { recursive: true });
  const exports = { '.': { node: './dist/index.js', default: './dist/index.js' } };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: `@node-llama-cpp/${name}`, exports }));
  await writeFile(join(folder, 'dist', 'index.js'), '');
  for (const file of files) await writeFile(join(bins, file), '');
  return bins;
}

function find(platform: string, env: Readonly<Record<string, string>> = {}): FoundLibrary {
  return findLibrary({ platform, env, from: join(root, 'main.js') });
}

const CPU = ['libggml-base.so', 'libggml.v0.5.0.so', 'libllama-common.so', 'libllama.v0.5.0.so'];
const CUDA = ['libggml-base.so', 'libggml.cuda.v0.5.0.so', 'libggml-cuda.so', 'libllama.cuda.v0.5.0.so'];
const VULKAN = ['libggml-base.so', 'libggml.vulkan.v0.5.0.so', 'libllama.vulkan.v0.5.0.so'];

test('finds the CPU package when no other is installed, without a warning', async () => {
  const directory = await install('linux-x64', CPU);
  assert.deepEqual(find('linux-x64'), { directory, backend: 'cpu', warnings: [] });
});

// Node remembers failed resolutions within a process: each test installs its packages before the first search.
test('prefers an installed GPU package, whose files are named for the backend', async () => {
  await install('linux-x64', CPU);
  const vulkan = await install('linux-x64-vulkan', VULKAN);
  assert.deepEqual(find('linux-x64'), { directory: vulkan, backend: 'vulkan', warnings: [] });
});

test('prefers CUDA to Vulkan when both are installed', async () => {
  await install('linux-x64-vulkan', VULKAN);
  const cuda = await install('linux-x64-cuda', CUDA);
  assert.deepEqual(find('linux-x64'), { directory: cuda, backend: 'cuda', warnings: [] });
  assert.equal(findLibraryFile(cuda, 'ggml'), join(cuda, 'libggml.cuda.v0.5.0.so'));
  assert.equal(findLibraryFile(cuda, 'ggml-base'), join(cuda, 'libggml-base.so'));
});

test('finds the libraries of macOS and Windows', async () => {
  const metal = await install('mac-arm64-metal', ['libggml.metal.v0.5.0.dylib', 'libllama.metal.v0.5.0.dylib']);
  assert.deepEqual(find('darwin-arm64'), { directory: metal, backend: 'metal', warnings: [] });
  const windows = await install('win-x64-cuda', ['ggml.cuda.v0.5.0.dll', 'llama.cuda.v0.5.0.dll', 'llama-common.dll']);
  assert.deepEqual(find('win32-x64'), { directory: windows, backend: 'cuda', warnings: [] });
  assert.equal(findLibraryFile(windows, 'llama'), join(windows, 'llama.cuda.v0.5.0.dll'));
});

test('GPTJ_LLAMA_BACKEND chooses among the installed packages', async () => {
  const cpu = await install('linux-x64', CPU);
  const vulkan = await install('linux-x64-vulkan', VULKAN);
  await install('linux-x64-cuda', CUDA);
  const choose = (backend: string): FoundLibrary => find('linux-x64', { GPTJ_LLAMA_BACKEND: backend });
  assert.deepEqual(choose('vulkan'), { directory: vulkan, backend: 'vulkan', warnings: [] });
  assert.deepEqual(choose('cpu'), { directory: cpu, backend: 'cpu', warnings: [] });
  assert.equal(choose('auto').backend, 'cuda');
  assert.throws(() => choose('rocm'), { code: 'invalid_config', message: /expected auto, cpu, cuda.*got "rocm"/ });
});

test('falls back to the CPU with one line that names the missing package', async () => {
  const cpu = await install('linux-x64', CPU);
  const absent = '@node-llama-cpp/linux-x64-cuda is not installed; the CPU is used';
  const found = find('linux-x64', { GPTJ_LLAMA_BACKEND: 'cuda' });
  assert.deepEqual(found, { directory: cpu, backend: 'cpu', warnings: [absent] });
  const metal = 'GPTJ_LLAMA_BACKEND: llama.cpp has no metal library for linux-x64; the CPU is used';
  assert.deepEqual(find('linux-x64', { GPTJ_LLAMA_BACKEND: 'metal' }).warnings, [metal]);
});

test('falls back to the CPU with one line when the GPU package is of another release', async () => {
  const cpu = await install('linux-x64', CPU);
  await install('linux-x64-cuda', ['libggml.cuda.v0.4.0.so', 'libllama.cuda.v0.4.0.so']);
  const old = '@node-llama-cpp/linux-x64-cuda: expected llama.cpp v0.5.0, found v0.4.0';
  assert.deepEqual(find('linux-x64'), { directory: cpu, backend: 'cpu', warnings: [old] });
  const warnings = find('linux-x64', { GPTJ_LLAMA_BACKEND: 'cuda' }).warnings;
  assert.deepEqual(warnings, [`${old}; the CPU is used`]);
});

test('runs a GPU library on the CPU when only that is installed and the CPU is asked for', async () => {
  const directory = await install('mac-arm64-metal', ['libllama.metal.v0.5.0.dylib']);
  assert.deepEqual(find('darwin-arm64', { GPTJ_LLAMA_BACKEND: 'cpu' }), { directory, backend: 'cpu', warnings: [] });
});

test('takes the folder of GPTJ_LLAMA_LIBRARY, and its backend from the file names', async () => {
  await install('linux-x64', CPU);
  const directory = await install('elsewhere', CUDA);
  const found = find('linux-x64', { GPTJ_LLAMA_LIBRARY: directory });
  assert.deepEqual(found, { directory, backend: 'cuda', warnings: [] });
  const missing = join(root, 'missing');
  assert.throws(() => find('linux-x64', { GPTJ_LLAMA_LIBRARY: missing }), { code: 'library_missing' });
});

test('refuses with library_missing where no package exists, is installed or holds a library', async () => {
  await install('linux-x64', ['README']);
  assert.throws(() => find('linux-x64'), { code: 'library_missing', message: /linux-x64; run npm.*found no libllama/ });
  assert.throws(() => find('darwin-x64'), { code: 'library_missing', message: /@node-llama-cpp\/mac-x64; run npm/ });
  assert.throws(() => find('sunos-x64'), { code: 'library_missing', message: /no prebuilt library for sunos-x64/ });
});

test('the lockfile lists every optional package of every platform', async () => {
  const text = await readFile(new URL('../../../../package-lock.json', import.meta.url), 'utf8');
  const { packages }: { packages: Record<string, { optionalDependencies?: Record<string, string> }> } =
    JSON.parse(text);
  for (const [where, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      assert.ok(`node_modules/${name}` in packages, `${name} of ${where}`);
    }
  }
  assert.ok('node_modules/@node-llama-cpp/mac-arm64-metal' in packages);
});
