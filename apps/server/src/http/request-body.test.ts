import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { NO_LIMITS } from '../testing/no-limits.ts';
import { serveWithLoad } from './load/current-load.ts';
import { createLoadControl } from './load/request-load.ts';
import { openBody, readBody } from './request-body.ts';

function upload() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' };
  return {
    request: new Request('http://host/', init),
    send: (bytes: number) => controller?.enqueue(new Uint8Array(bytes)),
    finish: () => controller?.close(),
    isCancelled: () => cancelled,
  };
}

const turns = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

test('refuses a body that arrives more slowly than the limit, and reads one that does not', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const loads = createLoadControl({ ...NO_LIMITS, minBytesPerSecond: 100 });
    const load = loads.arrive({ address: '', credential: undefined });
    const [steady, stalled] = [upload(), upload()];
    const read = [steady, stalled].map(({ request }) =>
      serveWithLoad(load, () => readBody(request, { maxBytes: 10_000 })).then(
        (bytes) => bytes.length,
        (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
      ),
    );
    stalled.send(5000);
    for (let window = 0; window < 3; window++) {
      steady.send(1000);
      await turns();
      mock.timers.tick(10_000);
      await turns();
    }
    steady.finish();
    assert.deepEqual(await Promise.all(read), [3000, 'body_incomplete']);
    assert.ok(stalled.isCancelled());
  } finally {
    mock.timers.reset();
  }
});

test('counts bytes as they arrive, and stops reading a body beyond the bytes in flight', async () => {
  const loads = createLoadControl({ ...NO_LIMITS, bytes: 2500, bytesPerClient: 2500 });
  const load = loads.arrive({ address: '', credential: undefined });
  const { request, send, isCancelled } = upload();
  for (let i = 0; i < 3; i++) send(1000);
  const read = serveWithLoad(load, () => readBody(request, { maxBytes: 10_000 }));
  await assert.rejects(read, (error) => error instanceof ApiError && error.code === 'too_many_bytes_in_flight');
  assert.ok(isCancelled());
  load.end();
  loads.arrive({ address: '', credential: undefined }).hold(2500);
});

test('a Content-Length that is no number announces nothing', async () => {
  for (const length of ['x', '-1', '1e3', '9'.repeat(30)]) {
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body: new Uint8Array(5),
      headers: { 'content-length': length },
      duplex: 'half',
    };
    const body = openBody(new Request('http://host/', init), { maxBytes: 10 }, () => {});
    assert.equal(body.announcedBytes, null, length);
    assert.equal((await body.next())?.length, 5);
    await body.end();
  }
});
