import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { newFile } from '../runs/files/file.ts';
import { findFile, insertFiles } from '../runs/files/file-store.ts';
import { keepBaselineWasm } from '../testing/baseline-wasm.ts';
import { openStore } from './db.ts';

keepBaselineWasm();

test('a new folder becomes a store, which holds its rows when opened again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-store-'));
  try {
    const file = newFile('a file', Uint8Array.of(0, 1, 255));
    const fresh = await openStore(join(folder, 'postgres'));
    await insertFiles(fresh.db, [{ projectId: DEFAULT_PROJECT_ID, file, createdAt: new Date(0) }]);
    await fresh.close();
    await fresh.close();
    const again = await openStore(join(folder, 'postgres'));
    const found = await findFile(again.db, DEFAULT_PROJECT_ID, file.id);
    await again.close();
    assert.deepEqual([found?.name, found?.sizeBytes, [...(found?.bytes ?? [])]], ['a file', 3, [0, 1, 255]]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
