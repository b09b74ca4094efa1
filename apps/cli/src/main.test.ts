import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chooseModel } from './default-model.ts';

const GPTJ = fileURLToPath(new URL('../bin/gptj.mjs', import.meta.url));
const EMBEDDED = chooseModel(undefined, {});
/** A generation without the native library, slow enough to be interrupted. */
const ENDLESS = ['generate', 'Once', '--engine', 'reference', '-n', '2000', '--min-new-tokens', '2000'];

function start(t: TestContext, args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, [GPTJ, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function run(
  t: TestContext,
  args: readonly string[],
): Promise<{ readonly status: unknown; readonly stdout: string; readonly stderr: string }> {
  const child = start(t, args);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { status, stdout, stderr };
}

test('converts a model and generates with the new file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const target = join(folder, 'f16.gguf');

  const converted = await run(t, ['convert', EMBEDDED, target, '--type', 'f16']);
  assert.equal(converted.status, 0, converted.stderr);
  assert.match(converted.stdout, /^type {2}f16$/m);
  assert.match(converted.stderr, /^100 % {2}/m);
  assert.deepEqual(await readdir(folder), ['f16.gguf']);

  const args = ['generate', 'Once upon a time', '--model', target, '--engine', 'reference', '-n', '3', '--json'];
  const generated = await run(t, args);
  assert.equal(generated.status, 0, generated.stderr);
  assert.match(generated.stderr, /^3 tokens in .* · ended by length limit\n$/);
  assert.match(generated.stdout, /^\{"model":.*"sequences":\[\{"text":"[^"]+","token_ids":\[\d+,\d+,\d+\].*\}\n$/);
});

test('Ctrl-C ends a generation with status 130 and no message', async (t) => {
  const child = start(t, ENDLESS);
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.deepEqual([status, stderr], [130, '']);
});

test('a closed output pipe ends a generation with status 141, as SIGPIPE does', async (t) => {
  const child = start(t, ENDLESS);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.deepEqual([status, stderr], [141, '']);
});
