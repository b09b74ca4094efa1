import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import { createDirectApp } from '../testing/direct-app.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../testing/scripted-model.ts';
import { listen } from './listen.ts';

test('ends a failing reply without its last chunk, logs it in one line and settles no cost', async (t) => {
  let fail = (): void => {};
  const failing = new Promise<void>((resolve) => {
    fail = resolve;
  });
  const engine = createScriptedEngine(() => ({
    sequences: [bytesOf('xyz')],
    pause: (token) => (token === 1 ? failing : null),
    failure: { after: 2, error: new ModelError('engine_failed', 'died') },
  }));
  const own = createDirectApp({ engine, model: byteModel(engine), headerDelayMs: 0 });
  const listener = await listen((request, peer) => own.app.fetch(request, { peer }), { host: '127.0.0.1', port: 0 });
  const printed = [t.mock.method(console, 'error', () => {}), t.mock.method(console, 'info', () => {})];
  try {
    const socket = connect(listener.port, '127.0.0.1');
    const body = JSON.stringify({ model: 'scripted', prompt: 'ab', max_tokens: 3 });
    const head =
      'POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nX-Request-Id: request-1\r\n';
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    const closed = once(socket, 'close');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      fail();
    });
    await closed;
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /\r\n\r\n1\r\n \r\n$/);
    assert.deepEqual(
      printed.map(({ mock }) => mock.callCount()),
      [0, 0],
    );
    const lines = own.logLines.map((line) => JSON.parse(line)).filter(({ message }) => message !== 'request');
    assert.deepEqual(
      lines.map(({ message, request_id, code }) => [message, request_id, code]),
      [['reply aborted', 'request-1', 'engine_failed']],
    );
    assert.deepEqual([own.admission.settled.length, own.admission.cancelled.length], [0, 1]);
  } finally {
    await listener.close();
  }
});
