import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { openFetch } from './proxy-fetch.ts';

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('asks through the proxy of the environment, and directly where NO_PROXY names the host', async (t) => {
  const origin = await listening(
    t,
    createServer((_, response) => response.end('weights')),
  );
  const tunnels: (string | undefined)[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url);
    const onward = connect(origin, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
    t.after(() => socket.destroy());
  });
  const address = `http://127.0.0.1:${await listening(t, proxy)}`;
  const ask = async (env: Record<string, string>): Promise<string> => {
    const fetch = await openFetch(env);
    const init = { headers: {}, redirect: 'manual', signal: new AbortController().signal } as const;
    return await (await fetch(`http://127.0.0.1:${origin}/x`, init)).text();
  };
  assert.equal(await ask({ HTTP_PROXY: address, HTTPS_PROXY: address }), 'weights');
  assert.deepEqual(tunnels, [`127.0.0.1:${origin}`]);
  assert.equal(await ask({ HTTP_PROXY: address, NO_PROXY: '127.0.0.1' }), 'weights');
  assert.equal(await ask({}), 'weights');
  assert.equal(tunnels.length, 1);
});
