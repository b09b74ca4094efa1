import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Peer } from './http-env.ts';
import { type Listener, type ListenTimeouts, listen } from './listen.ts';

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

/** What a connection gives until the server ends it. */
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

/** A connection that its client holds open for as long as it can: a part of a request every now and then. */
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

/** Without its guard a connection would stay for the minute of the others. */
const GUARDED = { timeout: 10_000 };

test('a client that sends its headers too slowly is cut off, however steadily', GUARDED, async () => {
  await withServer({ headersMs: 50 }, async ({ port }) => {
    assert.match(await trickle(port, 'POST / HTTP/1.1\r\nHost: x\r\n', 'X: y\r\n'), /^HTTP\/1\.1 408 /);
  });
});

test('a client that connects and sends nothing is cut off', GUARDED, async () => {
  await withServer({ headersMs: 50 }, async ({ port }) => {
    assert.match(await untilClosed(connect(port, '127.0.0.1')), /^HTTP\/1\.1 408 /);
  });
});

test('a client that sends its body too slowly is cut off, however steadily', GUARDED, async () => {
  await withServer({ headersMs: 50, requestMs: 50 }, async ({ port }) => {
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n';
    assert.doesNotMatch(await trickle(port, head, 'x'), /^HTTP\/1\.1 200 /);
  });
});

test('a connection that is kept for a next request is given up when none comes', GUARDED, async () => {
  await withServer({ keepAliveMs: 50 }, async ({ port }) => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi');
    const text = await untilClosed(socket);
    assert.match(text, /^HTTP\/1\.1 200 /);
    // What the client is told, in whole seconds; Node's own default would be 5.
    assert.match(text, /^keep-alive: timeout=0\r$/im);
    assert.ok(text.endsWith('hi'));
  });
});

test('a connection that is kept serves the next request', GUARDED, async () => {
  await withServer({}, async ({ port }) => {
    const socket = connect(port, '127.0.0.1');
    const request = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi';
    socket.write(request);
    await once(socket, 'data');
    socket.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 200 /);
  });
});

test('a client that reads nothing of its reply is cut off, and the reply learns of it', GUARDED, async () => {
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

test('a stopping server ends a stream under way before it closes', async () => {
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

test('a stopping server does not wait for connections that ask nothing', { timeout: 4_000 }, async () => {
  const listener = await listen(() => new Response('hi'), { host: '127.0.0.1', port: 0 }, LONG);
  const socket = connect(listener.port, '127.0.0.1');
  await once(socket, 'connect');
  // The server knows of it: it has answered one that came later.
  assert.equal(await (await fetch(listener.url)).text(), 'hi');
  const closed = untilClosed(socket);
  await listener.close();
  assert.equal(await closed, '');
});

test('a request knows the address that connected', async () => {
  await withServer(
    {},
    async ({ url }) => {
      assert.deepEqual(await (await fetch(url)).json(), { address: '127.0.0.1', encrypted: false });
    },
    (_, peer) => Response.json(peer),
  );
});
