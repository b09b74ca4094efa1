import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { watchReaders } from './slow-readers.ts';

const LARGE = Buffer.alloc(32 * 2 ** 20, 'x');

async function withServer(reply: (outgoing: ServerResponse) => void, work: (port: number) => Promise<void>) {
  const server = createServer((_, outgoing) => reply(outgoing));
  const stop = watchReaders(server, { minBytesPerSecond: 1000, windowMs: 20 });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    stop();
    server.closeAllConnections();
    server.close();
  }
}

test('disconnects a client that stops reading, whether the reply was written at once or in parts', {
  timeout: 20_000,
}, async () => {
  const whole = (outgoing: ServerResponse) => outgoing.end(LARGE);
  const inParts = (outgoing: ServerResponse) => {
    const more = () => {
      if (outgoing.destroyed) return;
      if (outgoing.write(LARGE.subarray(0, 65_536))) setImmediate(more);
      else outgoing.once('drain', more);
    };
    more();
  };
  for (const reply of [whole, inParts]) {
    await withServer(reply, async (port) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'readable');
      socket.pause();
      const server = once(socket, 'close');
      // Reading goes on only after the server has given up; the rest of the buffers is the last to arrive.
      setTimeout(() => socket.resume(), 200).unref();
      await server;
      assert.ok(socket.bytesRead < LARGE.length, `${socket.bytesRead} bytes`);
    });
  }
});

test('leaves alone a stream that has nothing to send', { timeout: 20_000 }, async () => {
  await withServer(
    (outgoing) => {
      outgoing.write('first');
      setTimeout(() => outgoing.end('last'), 200);
    },
    async (port) => {
      const reply = await fetch(`http://127.0.0.1:${port}/`);
      assert.equal(await reply.text(), 'firstlast');
    },
  );
});
