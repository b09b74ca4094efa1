import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '@gptj-cloud/protocol';
import { insertData } from '../data/data-store.ts';
import { newFile } from '../files/file.ts';
import { insertFile } from '../files/file-store.ts';
import { openStore, type Store } from '../store/db.ts';
import { INTERRUPTED } from './run-failure.ts';
import { completeRun, failRun, failUnfinishedRuns, findRun, insertRun, listRuns, markRunning } from './run-store.ts';

const at = (seconds: number): Date => new Date(seconds * 1000);

let store: Store;
before(async () => {
  store = await openStore(null);
});
after(() => store.close());

async function storedRun(createdAt: Date): Promise<string> {
  const file = newFile('data', new Uint8Array());
  const data = { id: newId('data'), createdAt, file };
  await insertFile(store.db, file, createdAt);
  await insertData(store.db, data);
  const id = newId('run');
  const run = { id, pipelineId: 'p', dataId: data.id, createdAt, resourceType: 'cpu', minGpuVramMb: null };
  await insertRun(store.db, run);
  return id;
}

const state = async (id: string): Promise<unknown> => (await findRun(store.db, id))?.state;
const result = () => ({
  file: newFile('result', Uint8Array.of(1)),
  preview: '["\\u0000"]',
  computeTimeMs: 1.6,
  endedAt: at(9),
});

test('a run that has ended does not change any more; one that has not is ended by a restart', async () => {
  const [complete, failed, running, received] = [
    await storedRun(at(1)),
    await storedRun(at(2)),
    await storedRun(at(3)),
    await storedRun(at(4)),
  ];
  for (const id of [complete, failed, running]) await markRunning(store.db, id, at(5));
  await completeRun(store.db, complete, result());
  await failRun(store.db, failed, { error: 'pipeline_fault', exception: 'a\0b', traceback: '' }, at(6));

  await failRun(store.db, complete, INTERRUPTED, at(7));
  await completeRun(store.db, failed, result());
  await markRunning(store.db, failed, at(8));
  assert.deepEqual([await state(complete), await state(failed)], ['complete', 'failed']);
  const found = await findRun(store.db, complete);
  assert.deepEqual([found?.resultPreview, found?.computeTimeMs, found?.failure], ['["\\u0000"]', 2, null]);
  assert.equal((await findRun(store.db, failed))?.failure?.exception, 'a\ufffdb');

  assert.deepEqual([await state(running), await state(received)], ['running', 'received']);
  assert.equal(await failUnfinishedRuns(store.db, INTERRUPTED, at(10)), 2);
  assert.equal(await failUnfinishedRuns(store.db, INTERRUPTED, at(11)), 0);
  assert.deepEqual([await state(running), await state(received)], ['failed', 'failed']);
  assert.deepEqual([await state(complete), (await findRun(store.db, received))?.endedAt], ['complete', at(10)]);

  const ids = async (direction: 'asc' | 'desc', skip: number, limit: number): Promise<unknown> => {
    const page = await listRuns(store.db, { skip, limit, orderBy: { field: 'created_at', direction } });
    assert.equal(page.total, 4);
    return page.runs.map((run) => run.id);
  };
  assert.deepEqual(await ids('desc', 0, 3), [received, running, failed]);
  assert.deepEqual(await ids('asc', 1, 2), [failed, running]);
});

test('result and end of a run are stored together or not at all', async () => {
  const id = await storedRun(at(1));
  const lost = { ...result(), file: { ...newFile('result', new Uint8Array()), path: (await existingPath()) ?? '' } };
  await assert.rejects(completeRun(store.db, id, lost));
  assert.equal(await state(id), 'received');
});

/** The path of a file that is there: a second file with it fails. */
async function existingPath(): Promise<string | undefined> {
  const page = await listRuns(store.db, { skip: 0, limit: 1, orderBy: { field: 'created_at', direction: 'asc' } });
  return page.runs[0]?.data.file.path;
}
