import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CredentialOutput } from '../config/credential-output.ts';
import { ConfigError } from '../config-error.ts';
import { createCredentialKeeper } from './first-credentials.ts';

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'gptj-credentials-'));
});
after(() => rm(base, { recursive: true }));

const keeper = (output: CredentialOutput, isTerminal: boolean, folder: string = join(base, 'none')) =>
  createCredentialKeeper({ output, isTerminal, folder });

test('prints credentials on a terminal, or where the setting is always', async () => {
  assert.deepEqual([keeper('terminal', true).isPrinted, keeper('always', false).isPrinted], [true, true]);
  assert.equal(await keeper('always', false).keep('first-api-token', 'secret'), null);
  assert.deepEqual(await readdir(base), []);
});

test('writes credentials to a file for its owner alone where output is kept, and replaces an earlier one', async () => {
  for (const [output, isTerminal] of [
    ['terminal', false],
    ['never', true],
  ] as const) {
    const folder = join(base, output, 'data');
    const own = keeper(output, isTerminal, folder);
    assert.equal(own.isPrinted, false);
    const path = (await own.keep('first-api-token', 'an-earlier-secret')) ?? '';
    assert.equal(await own.keep('first-api-token', 'a-secret'), path);
    assert.equal(await readFile(path, 'utf8'), 'a-secret\n');
    assert.deepEqual(await readdir(folder), ['first-api-token.txt']);
    if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600);
  }
});

test('refuses a folder that cannot be written with the settings that help, and repeats no secret', async () => {
  const file = join(base, 'a file');
  await writeFile(file, '');
  await assert.rejects(keeper('never', false, join(file, 'data')).keep('set-up-link', 'a-secret'), (error) => {
    assert.ok(
      error instanceof ConfigError && /set-up-link\.txt .* PRINT_CREDENTIALS/.test(error.message),
      String(error),
    );
    return !error.message.includes('a-secret');
  });
});
