/** Uploads are stored while they arrive: memory is bounded, and nothing stays of one that does not end. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { dataGetSchema, fileGetSchema } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { type Listener, listen } from '../../http/listen.ts';
import { FIRST_USER_ID } from '../../identity/users/first-user.ts';
import { openTestApp, type TestApp, TOKEN } from '../../testing/test-app.ts';
import { until } from '../../testing/until.ts';
import { data, fileSlices, files } from '../run-tables.ts';
import { SLICE_BYTES } from './file-slices-store.ts';

let it: TestApp;
let listener: Listener;
before(async () => {
  it = await openTestApp({ maxUploadBytes: 20 * 2 ** 20 });
  listener = await listen((request, peer) => it.app.fetch(request, { peer }), { host: '127.0.0.1', port: 0 });
});
after(async () => {
  await listener.close();
  await it.close();
});
beforeEach(async () => {
  await it.store.db.delete(data);
  await it.store.db.delete(files);
});

const FORM = { 'content-type': 'multipart/form-data; boundary=b0' };
const head = (name: string): Buffer =>
  Buffer.from(`--b0\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n`);
const END = Buffer.from('\r\n--b0--\r\n');
const bytesOf = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255));
const rows = async () => {
  const { db } = it.store;
  const [counted] = await db
    .select({ bytes: sql<unknown>`bytes`, items: sql<unknown>`items` })
    .from(sql`project_storage`);
  return {
    files: await db.$count(files),
    slices: await db.$count(fileSlices),
    data: await db.$count(data),
    bytes: Number(counted?.bytes),
    items: Number(counted?.items),
  };
};
const NOTHING = { files: 0, slices: 0, data: 0, bytes: 0, items: 0 };

/** Send a body whose chunks are made when the server asks for them. */
function send(
  path: string,
  chunks: AsyncIterator<Uint8Array>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  const init: RequestInit & { duplex: 'half' } = {
    method: 'POST',
    body,
    headers: { ...FORM, ...headers },
    duplex: 'half',
  };
  return it.request(path, init);
}

async function codeOf(reply: Response): Promise<string> {
  const { detail } = (await reply.json()) as { detail: { code: string } };
  return `${reply.status} ${detail.code}`;
}

const CHUNK = 64 * 1024;

test('the slices of a body are stored while the rest of it is still to come, with and without an announced length', async () => {
  for (const [path, name, isHex] of [
    ['/v2/files', 'file', true],
    ['/v2/data', 'data', false],
  ] as const) {
    for (const isAnnounced of [true, false]) {
      const bytes = bytesOf(12 * SLICE_BYTES + 77);
      const content = isHex ? Buffer.from(bytes.toString('hex')) : bytes;
      let mostAhead = 0;
      async function* chunks(): AsyncGenerator<Uint8Array> {
        yield head(name);
        for (let at = 0; at < content.length; at += CHUNK) {
          const stored = (await it.store.db.$count(fileSlices)) * SLICE_BYTES * (isHex ? 2 : 1);
          mostAhead = Math.max(mostAhead, at - stored);
          yield content.subarray(at, at + CHUNK);
        }
        yield END;
      }
      const length = head(name).length + content.length + END.length;
      const reply = await send(path, chunks(), isAnnounced ? { 'content-length': String(length) } : {});
      assert.equal(reply.status, 201);
      assert.ok(mostAhead <= 8 * SLICE_BYTES, `${path} was ${mostAhead} bytes ahead of the store`);
      const id = isHex
        ? fileGetSchema.parse(await reply.json()).id
        : dataGetSchema.parse(await reply.json()).hex_file.id;
      const read = fileGetSchema.parse(await (await it.request(`/v2/files/${id}?return_data=true`)).json());
      assert.equal(read.data, bytes.toString('hex'));
      assert.equal((await rows()).bytes, bytes.length);
      await it.store.db.delete(data);
      await it.store.db.delete(files);
    }
  }
});

test('refuses a body as soon as it passes the limit, and stores nothing of it', async () => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield head('file');
    for (; ; sent += CHUNK) yield Buffer.alloc(CHUNK, 'a');
  }
  assert.equal(await codeOf(await send('/v2/files', endless())), '413 body_too_large');
  assert.ok(sent < 90 * 2 ** 20, 'an endless body is not read for ever');
  assert.deepEqual(await rows(), NOTHING);
  const announced = { 'content-length': String(21 * 2 ** 20) };
  async function* unread(): AsyncGenerator<Uint8Array> {
    yield head('file');
  }
  assert.equal(await codeOf(await send('/v2/files', unread(), announced)), '413 body_too_large');
  assert.deepEqual(await rows(), NOTHING);
});

test('stores nothing of a body that breaks, ends without its boundary, has a second part or is no hex in the end', async () => {
  const start = bytesOf(3 * SLICE_BYTES);
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield head('data');
    yield start;
    assert.ok((await rows()).slices > 0);
    throw new Error('the connection broke');
  }
  assert.equal(await codeOf(await send('/v2/data', broken())), '400 body_incomplete');
  assert.deepEqual(await rows(), NOTHING);
  const bodies: readonly (readonly [path: string, body: readonly Uint8Array[], refusal: string])[] = [
    ['/v2/data', [head('data'), start], '400 invalid_multipart'],
    ['/v2/data', [head('data'), start, Buffer.from('\r\n'), head('data'), END], '400 invalid_multipart'],
    ['/v2/files', [head('file'), Buffer.from(start.toString('hex')), Buffer.from('0'), END], '400 invalid_hex'],
    ['/v2/files', [head('file'), Buffer.from(start.toString('hex')), Buffer.from('xy'), END], '400 invalid_hex'],
  ];
  for (const [path, body, refusal] of bodies) {
    const chunks = (async function* () {
      yield* body;
    })();
    assert.equal(await codeOf(await send(path, chunks)), refusal);
    assert.deepEqual(await rows(), NOTHING);
  }
});

test('refuses a body that passes the plan while it arrives, whatever length it announced', async () => {
  await it.store.db.execute(sql`UPDATE users SET plan_id = 'free' WHERE id = ${FIRST_USER_ID}`);
  await it.store.db.execute(sql`UPDATE project_storage SET bytes = ${209_715_200 - 4 * SLICE_BYTES}`);
  try {
    const chunks = (async function* () {
      yield head('data');
      for (let slice = 0; slice < 6; slice++) yield bytesOf(SLICE_BYTES);
      yield END;
    })();
    assert.equal(await codeOf(await send('/v2/data', chunks)), '413 storage_full');
    assert.deepEqual(await rows(), { ...NOTHING, bytes: 209_715_200 - 4 * SLICE_BYTES });
  } finally {
    await it.store.db.execute(sql`UPDATE users SET plan_id = 'owner' WHERE id = ${FIRST_USER_ID}`);
    await it.store.db.execute(sql`UPDATE project_storage SET bytes = 0`);
  }
});

test('nothing stays of the upload of a client that stops in the middle', async () => {
  const headers = { ...FORM, authorization: `Bearer ${TOKEN}`, 'content-length': String(10 * 2 ** 20) };
  const upload = httpRequest(`${listener.url}/v2/data`, { method: 'POST', headers });
  upload.on('error', () => {});
  upload.write(head('data'));
  upload.write(bytesOf(5 * SLICE_BYTES));
  await until(async () => (await rows()).slices >= 4);
  upload.destroy();
  await until(async () => (await rows()).files === 0);
  assert.deepEqual(await rows(), NOTHING);
});
