import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Peer } from './http-env.ts';
import { type Listener, type ListenTimeouts, listen, timeoutsFor } from './listen.ts';

const LONG: ListenTimeouts = {
  headersMs: 60_000,
  requestMs: 60_000,
  idleMs: 60_000,
  keepAliveMs: 60_000,
  checkEveryMs: 5,
};

async function withServer(
  timeouts: Partial<ListenTimeouts>,
  work: (listener: Listener) => Promise<void>,
  fetch: (request: Request, peer: Peer) => Response | Promise<Response> = async (request) =>
    new Response(await request.text()),
): Promise<void> {
  const listener = await listen(fetch, { host: '127.0.0.1', port: 0 }, { ...LONG, ...timeouts });
  try {
    await work(listener);
  } finally {
    await listener.close();
  }
}

/** The bytes of a connection until the server ends it. */
async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // A reset is an end, too.
  socket.on('error', () => {});
  await once(socket, 'close');
  return text;
}

/** A connection whose client keeps it open with a part of a request at intervals. */
async function trickle(port: number, first: string, part: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const closed = untilClosed(socket);
  socket.write(first);
  const timer = setInterval(() => socket.write(part), 5);
  try {
    return await closed;
  } finally {
    clearInterval(timer);
  }
}

/** Without the limit under test, a connection would stay open until another limit. */
const GUARDED = { timeout: 10_000 };

test('a server that takes larger uploads gives them more time, for up to 50 minutes', () => {
  const minutes = (maxBodyBytes: number): number => timeoutsFor(maxBodyBytes).requestMs / 60_000;
  assert.deepEqual([minutes(1024), minutes(20 * 2 ** 20), minutes(200 * 2 ** 20), minutes(2 ** 30)], [2, 2, 20, 50]);
});

test('disconnects a client that sends its headers too slowly, however steadily', GUARDED, async () => {
  await withServer({ headersMs: 50 }, async ({ port }) => {
    assert.match(await trickle(port, 'POST / HTTP/1.1\r\nHost: x\r\n', 'X: y\r\n'), /^HTTP\/1\.1 408 /);
  });
});

test('disconnects a client that sends nothing', GUARDED, async () => {
  await withServer({ headersMs: 50 }, async ({ port }) => {
    assert.match(await untilClosed(connect(port, '127.0.0.1')), /^HTTP\/1\.1 408 /);
  });
});

test('disconnects a client that sends its body too slowly, however steadily', GUARDED, async () => {
  await withServer({ headersMs: 50, requestMs: 50 }, async ({ port }) => {
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n';
    assert.doesNotMatch(await trickle(port, head, 'x'), /^HTTP\/1\.1 200 /);
  });
});

test('closes a kept-alive connection without a next request', GUARDED, async () => {
  await withServer({ keepAliveMs: 50 }, async ({ port }) => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi');
    const text = await untilClosed(socket);
    assert.match(text, /^HTTP\/1\.1 200 /);
    // The server announces whole seconds; Node's default is 5.
    assert.match(text, /^keep-alive: timeout=0\r$/im);
    assert.ok(text.endsWith('hi'));
  });
});

test('serves the next request on a kept-alive connection', GUARDED, async () => {
  await withServer({}, async ({ port }) => {
    const socket = connect(port, '127.0.0.1');
    const request = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi';
    socket.write(request);
    await once(socket, 'data');
    socket.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 200 /);
  });
});

test("disconnects a client that does not read its reply, and cancels the reply's body", GUARDED, async () => {
  let cancelled: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const endless = (): Response =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => cancelled(),
      }),
    );
  await withServer(
    { idleMs: 50 },
    async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.pause();
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await ended;
      socket.destroy();
    },
    endless,
  );
});

test('ends a running stream before the server closes', async () => {
  let finish: () => void = () => {};
  const stream = (): Response =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(Buffer.from('first '));
          finish = () => {
            controller.enqueue(Buffer.from('last'));
            controller.close();
          };
        },
      }),
    );
  await withServer(
    {},
    async (listener) => {
      const reply = await fetch(listener.url);
      const reader = reply.body?.getReader();
      assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'first ');
      const closed = listener.close();
      await assert.rejects(fetch(listener.url));
      finish();
      assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'last');
      assert.equal((await reader?.read())?.done, true);
      await closed;
    },
    stream,
  );
});

test('closes without waiting for connections that have sent no request', { timeout: 4_000 }, async () => {
  const listener = await listen(() => new Response('hi'), { host: '127.0.0.1', port: 0 }, LONG);
  const socket = connect(listener.port, '127.0.0.1');
  await once(socket, 'connect');
  // The server has accepted it: it has answered a later connection.
  assert.equal(await (await fetch(listener.url)).text(), 'hi');
  const closed = untilClosed(socket);
  await listener.close();
  assert.equal(await closed, '');
});

test('passes the address of the connection to the request', async () => {
  await withServer(
    {},
    async ({ url }) => {
      assert.deepEqual(await (await fetch(url)).json(), { address: '127.0.0.1', encrypted: false });
    },
    (_, peer) => Response.json(peer),
  );
});

test('refuses a request with two Host headers, whatever their case', GUARDED, async () => {
  await withServer({}, async ({ port }) => {
    for (const second of ['Host: y', 'hOST: x', 'Host:']) {
      const socket = connect(port, '127.0.0.1');
      const closed = untilClosed(socket);
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${second}\r\n\r\n`);
      assert.match(await closed, /^HTTP\/1\.1 400 /, second);
    }
  });
});

test('reports the end of every reply, also of pipelined ones whose turn did not come', GUARDED, async () => {
  let begun = 0;
  let ended = 0;
  const pending = async (_: Request, peer: Peer): Promise<Response> => {
    begun++;
    peer.onReplyEnd?.(() => ended++);
    return await new Promise<Response>(() => {});
  };
  await withServer(
    {},
    async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(4));
      while (begun < 4) await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
      while (ended < 4) await new Promise((resolve) => setImmediate(resolve));
    },
    pending,
  );
  assert.equal(ended, 4);
});
