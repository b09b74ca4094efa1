import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createScratchDatabase, fillDataDir, WITHOUT_POSTGRES } from '@gptj-cloud/server/testing';
import { runGptj } from '../testing/run-gptj.ts';

test('admin migrate --json prints the copied tables, and no password', { skip: WITHOUT_POSTGRES }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-migrate-'));
  const database = await createScratchDatabase();
  try {
    await fillDataDir(folder);
    const args = ['admin', 'migrate', '--to', database.url, '--data-dir', folder, '--json'];
    const { status, stdout, stderr } = await runGptj(args);
    assert.equal(status, 0, stderr);
    const { data_dir: dataDir, direction, tables } = JSON.parse(stdout);
    assert.deepEqual([dataDir, direction], [folder, 'to']);
    const users = tables.find(({ name }: { name: string }) => name === 'users');
    assert.deepEqual([typeof users.rows, typeof users.checksum], ['number', 'string']);
    const { password } = new URL(database.url);
    // Every text includes the empty one, the password of a PostgreSQL that trusts this machine.
    assert.ok(password === '' || !stdout.includes(password));
  } finally {
    await database.drop();
    await rm(folder, { recursive: true });
  }
});
