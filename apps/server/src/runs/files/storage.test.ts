/** What an account stores is counted exactly, limited by its plan, and deletable; large files pass in slices. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiError, GPTJ_PIPELINE_ID, runGetSchema, runPageSchema, storageGetSchema } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../../identity/users/first-user.ts';
import { createStorageLimits, type StorageLimits } from '../../metering/storage/storage-limits.ts';
import { findStorage } from '../../metering/storage/storage-store.ts';
import { bookOf, planOf, principalOn } from '../../testing/plans.ts';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { createDataFromBytes, getWholeData, removeData } from '../data/data-service.ts';
import { data, files, runs } from '../run-tables.ts';
import { newFile } from './file.ts';
import { type FileDeps, getWholeFile, removeFile, type Upload, uploadFile } from './file-service.ts';
import { SLICE_BYTES } from './file-slices-store.ts';
import { insertUnstored, removeAbandoned } from './file-store.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');
const limited = (storedBytes: number | null, storedItems: number | null): StorageLimits =>
  createStorageLimits(bookOf(planOf('p', { storedBytes, storedItems })));
const PRINCIPAL = { ...principalOn(planOf('p'), FIRST_USER_ID), projectId: DEFAULT_PROJECT_ID };

let it: TestApp;
before(async () => {
  it = await openTestApp({ queue: { running: 8, waiting: 100 } });
});
after(() => it.close());

const deps = (storage = limited(null, null)): FileDeps => ({ db: it.store.db, clock: () => NOW, storage });
const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
  return 'done';
};
const textOf = async (texts: AsyncIterable<string>): Promise<{ text: string; parts: number[] }> => {
  let text = '';
  const parts: number[] = [];
  for await (const part of texts) {
    text += part;
    parts.push(part.length);
  }
  return { text, parts };
};
/** The counts that triggers keep, and the same counted from the tables. */
async function counts(): Promise<readonly [kept: unknown, counted: unknown]> {
  const { db } = it.store;
  const [kept] = await findStorage(db, [DEFAULT_PROJECT_ID], { lock: false });
  const total = async (of: ReturnType<typeof sql>): Promise<number> =>
    Number((await db.select({ total: sql<unknown>`${of}` }).from(sql`(SELECT 1) AS one`))[0]?.total ?? 0);
  const bytes =
    (await total(sql`(SELECT coalesce(sum(size_bytes), 0) FROM files)`)) +
    (await total(sql`(SELECT coalesce(sum(coalesce(octet_length(result_preview), 0) + coalesce(octet_length(prompt_head), 0)
      + coalesce(octet_length(output_head), 0) + coalesce(octet_length(search_text), 0)), 0) FROM runs)`));
  const items = (await db.$count(files)) + (await db.$count(data)) + (await db.$count(runs));
  return [
    { bytes: kept?.bytes, items: kept?.items },
    { bytes, items },
  ];
}

const upload = (name: string, bytes: Uint8Array, announcedBytes: number | null = bytes.length): Upload => ({
  name,
  bytes: (async function* () {
    // Chunks of a connection, which are no slices.
    for (let at = 0; at < bytes.length; at += 65_521) yield bytes.subarray(at, at + 65_521);
  })(),
  announcedBytes,
});
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 9)) & 255);

test('a large file is written and read in slices, and comes back byte for byte', async () => {
  for (const length of [0, 1, SLICE_BYTES, SLICE_BYTES + 1, 3 * SLICE_BYTES + 5]) {
    const bytes = bytesOf(length);
    const stored = await uploadFile(deps(), PRINCIPAL, upload('f', Buffer.from(Buffer.from(bytes).toString('hex'))));
    const { text, parts } = await textOf(await getWholeFile(deps(), DEFAULT_PROJECT_ID, stored.id));
    const read = JSON.parse(text) as { id: string; data: string; file_size: number };
    assert.deepEqual([read.id, read.file_size], [stored.id, 2 * length]);
    assert.equal(read.data, Buffer.from(bytes).toString('hex'));
    assert.ok(Math.max(...parts) <= 2 * SLICE_BYTES);
    await removeFile(deps(), DEFAULT_PROJECT_ID, stored.id);
  }
});

test('a file from before slices, with all bytes in its row, is read in slices as well', async () => {
  const bytes = bytesOf(2 * SLICE_BYTES + 3);
  const { id, name, path, sizeBytes } = newFile('old', bytes);
  const row = { id, name, path, sizeBytes, bytes, projectId: DEFAULT_PROJECT_ID, isStored: true, createdAt: NOW };
  await it.store.db.insert(files).values(row);
  const { text, parts } = await textOf(await getWholeFile(deps(), DEFAULT_PROJECT_ID, id));
  assert.equal((JSON.parse(text) as { data: string }).data, Buffer.from(bytes).toString('hex'));
  assert.ok(Math.max(...parts) <= 2 * SLICE_BYTES);
  await removeFile(deps(), DEFAULT_PROJECT_ID, id);
});

test('counts bytes and items through uploads, runs and deletions, and forgets uploads that did not end', async () => {
  const large = await createDataFromBytes(deps(), PRINCIPAL, upload('d', bytesOf(SLICE_BYTES + 9)));
  const small = await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 4 }] });
  const run = runGetSchema.parse(await small.json());
  let [kept, counted] = await counts();
  assert.deepEqual(kept, counted);
  assert.ok((kept as { bytes: number }).bytes > SLICE_BYTES + 9);
  const whole = JSON.parse((await textOf(await getWholeData(deps(), DEFAULT_PROJECT_ID, large.id))).text);
  assert.equal(whole.hex_file.data.length, 2 * (SLICE_BYTES + 9));

  await insertUnstored(it.store.db, {
    projectId: DEFAULT_PROJECT_ID,
    file: newFile('cut off', bytesOf(SLICE_BYTES + 1)),
    createdAt: NOW,
  });
  [kept, counted] = await counts();
  assert.deepEqual(kept, counted);
  assert.equal(await removeAbandoned(it.store.db, NOW, 10), 0);
  assert.equal(await removeAbandoned(it.store.db, new Date(NOW.getTime() + 1), 10), 1);

  // Parts of a run cannot be deleted without it.
  assert.equal(await codeOf(removeFile(deps(), DEFAULT_PROJECT_ID, run.result?.id ?? '')), 'file_in_use');
  assert.equal(await codeOf(removeData(deps(), DEFAULT_PROJECT_ID, run.data.id)), 'file_in_use');
  assert.equal(await codeOf(removeFile(deps(), DEFAULT_PROJECT_ID, large.hex_file.id)), 'file_in_use');
  assert.equal((await it.request(`/v2/data/${large.id}`, { method: 'DELETE' })).status, 204);
  assert.equal((await it.request(`/v2/files/${large.hex_file.id}`)).status, 404);
  assert.equal((await it.request(`/v2/runs/${run.id}`, { method: 'DELETE' })).status, 204);
  [kept, counted] = await counts();
  assert.deepEqual(
    [kept, counted],
    [
      { bytes: 0, items: 0 },
      { bytes: 0, items: 0 },
    ],
  );
});

test('refuses what passes the limit of bytes or items with storage_full, also for concurrent requests', async () => {
  const store = (storage: StorageLimits, length: number): Promise<unknown> =>
    createDataFromBytes(deps(storage), PRINCIPAL, upload('d', bytesOf(length)));
  const storage = limited(1000, 100);
  const codes = await Promise.all(Array.from({ length: 12 }, () => codeOf(store(storage, 300))));
  assert.deepEqual(codes.filter((code) => code === 'done').length, 3);
  assert.ok(codes.every((code) => code === 'done' || code === 'storage_full'));
  assert.equal(await codeOf(store(storage, 101)), 'storage_full');
  assert.equal(await codeOf(store(limited(10_000, 7), 1)), 'storage_full', 'six items are stored; data need two');
  const { bytes, items } = await storage.read(it.store.db, PRINCIPAL);
  assert.deepEqual(
    [bytes, items],
    [
      { used: 900, limit: 1000 },
      { used: 6, limit: 100 },
    ],
  );
  const shown = storageGetSchema.parse(await (await it.request('/v2/storage')).json());
  assert.deepEqual([shown.bytes, shown.items.used], [{ used: 900, limit: null }, 6]);
});

test('a run is refused with storage_full before it is admitted', async () => {
  const full = await openTestApp();
  try {
    await full.store.db.execute(sql`UPDATE users SET plan_id = 'free' WHERE id = ${FIRST_USER_ID}`);
    await full.store.db.execute(sql`UPDATE project_storage SET bytes = 209715200`);
    const reply = await full.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', {}] });
    const body = (await reply.json()) as { code?: string; detail?: { code?: string } };
    assert.deepEqual([reply.status, JSON.stringify(body).includes('storage_full')], [413, true]);
    assert.deepEqual([full.admission.settled.length, full.admission.cancelled.length], [0, 0]);
    assert.equal(await full.store.db.$count(runs), 0);
  } finally {
    await full.close();
  }
});

test('a list leaves out long previews and marks their runs; the run itself has its preview', async () => {
  const lengths = { response_length: 2000, num_return_sequences: 16, do_sample: true };
  const reply = await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', lengths] });
  const run = runGetSchema.parse(await reply.json());
  assert.ok(JSON.stringify(run.result_preview).length > 16 * 1024);
  const { data: listed } = runPageSchema.parse(await (await it.request('/v2/runs')).json());
  const [found] = listed.filter(({ id }) => id === run.id);
  assert.deepEqual([found?.result_preview, found?.result_preview_omitted], [null, true]);
  const whole = runGetSchema.parse(await (await it.request(`/v2/runs/${run.id}`)).json());
  assert.deepEqual([whole.result_preview, whole.result_preview_omitted], [run.result_preview, undefined]);
});

test('concurrent runs, uploads and deletions are counted exactly, and none of them fails', async () => {
  const ask = { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 2 }] };
  const statuses = new Map<number, number>();
  const noted = async (reply: Promise<Response>): Promise<Response> => {
    const { status } = await reply;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return await reply;
  };
  const remove = (path: string): Promise<Response> => noted(it.request(path, { method: 'DELETE' }));
  const one = async (i: number): Promise<void> => {
    const bytes = bytesOf(i % 3 === 0 ? SLICE_BYTES + i : i + 1);
    const { id } = await createDataFromBytes(deps(), PRINCIPAL, upload('d', bytes));
    const [run] = await Promise.all([noted(it.post('/v2/runs', ask)), remove(`/v2/data/${id}`)]);
    await remove(`/v2/runs/${runGetSchema.parse(await run.json()).id}`);
  };
  const [before] = await counts();
  await Promise.all(Array.from({ length: 24 }, (_, i) => one(i)));
  const [kept, counted] = await counts();
  assert.deepEqual([kept, counted], [before, before]);
  assert.deepEqual([...statuses].sort(), [
    [200, 24],
    [204, 48],
  ]);
});

test("a project has at most its plan's number of pipeline tags", async () => {
  const full = await openTestApp();
  try {
    await full.store.db.execute(sql`UPDATE users SET plan_id = 'free' WHERE id = ${FIRST_USER_ID}`);
    const create = async (i: number): Promise<number> =>
      (await full.post('/v2/pipeline-tags', { name: `mine/model:v${i}`, pipeline_id: GPTJ_PIPELINE_ID })).status;
    const statuses = await Promise.all(Array.from({ length: 25 }, (_, i) => create(i)));
    assert.equal(statuses.filter((status) => status === 201).length, 20);
    assert.equal(statuses.filter((status) => status === 409).length, 5);
  } finally {
    await full.close();
  }
});
