import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BUILD = fileURLToPath(new URL('../../../scripts/build-kernels.mjs', import.meta.url));
const EMULATOR = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'] as const;

const folder = mkdtempSync(join(tmpdir(), 'gptj-native-'));
after(() => rmSync(folder, { recursive: true }));

const run = promisify(execFile);

const isInstalled = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

const skip =
  process.platform !== 'linux'
    ? 'the checks of the C sources run on Linux'
    : isInstalled('clang-19')
      ? false
      : 'clang-19 is not installed';
const skipEmulated =
  skip ||
  process.arch === 'arm64' ||
  ['aarch64-linux-gnu-gcc', EMULATOR[0]]
    .filter((command) => !isInstalled(command))
    .map((c) => `${c} is not installed`)[0] ||
  false;

/** Debian has the runtimes of the sanitizers in a package of their own. */
function skipSanitizer(sanitizer: string): string | false {
  if (skip !== false) return skip;
  const flags = [`-fsanitize=${sanitizer}`, '-x', 'c', '-', '-o', join(folder, 'empty')];
  const { status } = spawnSync('clang-19', flags, { input: 'int main(void) { return 0; }' });
  return status === 0 ? false : `the runtime of -fsanitize=${sanitizer} is not installed (libclang-rt-19-dev)`;
}

let programs = 0;

/** Build the program `native/test/check_steps.c`. */
async function build(...options: readonly string[]): Promise<string> {
  const path = join(mkdtempSync(join(folder, 'program-')), `check-${programs++}`);
  await run(process.execPath, [BUILD, '--program', path, ...options]);
  return path;
}

async function output(command: string, ...args: readonly string[]): Promise<string> {
  return (await run(command, args)).stdout;
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** One way of slicing on three threads: what the slow programs run, and the fast one to be compared with. */
const FEW = ['3', '3'] as const;

describe('steps of the native library', { skip }, () => {
  it('have the same bits on every instruction set, with 1 to 8 threads, in every slicing', async () => {
    const program = await build('--library', `linux-${process.arch}.so`);
    const results = [];
    for (const set of lines(await output(program, 'sets'))) {
      const hashes = await output(program, 'bits', set, '1', '8');
      assert.equal(lines(hashes).length, 64);
      results.push(hashes);
    }
    assert.equal(new Set(results).size, 1);
  });

  it('have the same bits on arm64, in an emulator', { skip: skipEmulated }, async () => {
    const program = await build('--library', 'linux-x64.so');
    const [set] = lines(await output(program, 'sets'));
    const emulated = await build('--library', 'linux-arm64.so');
    assert.equal(await output(...EMULATOR, emulated, 'sets'), '1\n');
    assert.equal(await output(...EMULATOR, emulated, 'bits', '1', ...FEW), await output(program, 'bits', set!, ...FEW));
    // Armv8.0 has no dot products.
    assert.equal(await output(...EMULATOR, '-cpu', 'cortex-a53', emulated, 'sets'), '');
  });

  for (const sanitizer of ['address,undefined', 'thread']) {
    const options = { skip: skipSanitizer(sanitizer) };
    it(
      `run clean with -fsanitize=${sanitizer}, also when they end in their midst and when models share the threads`,
      options,
      async () => {
        const program = await build('--sanitizer', sanitizer);
        for (const set of lines(await output(program, 'sets'))) {
          await output(program, 'bits', set, ...FEW);
          await output(program, 'aborts', set, '3');
          await output(program, 'shared', set, '5');
        }
      },
    );
  }
});
