import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { createBackupTurns } from './backup-turns.ts';

test('refuses a second backup while one is made or read, and for as long as it took after its dump', () => {
  let ms = 0;
  const turns = createBackupTurns(() => ms);
  const retryAfter = (): number | null => {
    try {
      turns.take().end();
      return 0;
    } catch (error) {
      assert.ok(error instanceof ApiError && error.code === 'backup_running');
      return error.retryAfterSeconds;
    }
  };
  const first = turns.take();
  assert.equal(retryAfter(), 30);
  ms = 40_000;
  first.dumped(40_000);
  assert.equal(retryAfter(), 30);
  first.end();
  first.end();
  assert.equal(retryAfter(), 40);
  ms = 80_000;
  assert.equal(retryAfter(), 0);
  // A backup that failed before its dump leaves no pause.
  turns.take().end();
  assert.equal(retryAfter(), 0);
});
