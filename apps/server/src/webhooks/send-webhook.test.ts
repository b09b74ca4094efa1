import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { after, before, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { checkWebhookUrl, type SendOptions, sendWebhook, WebhookSendError } from './send-webhook.ts';

let server: Server;
let port: number;
const bodies: string[] = [];
before(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(`${request.method} ${request.url} ${body}`);
      if (request.url === '/redirect') response.writeHead(302, { location: '/elsewhere' });
      else if (request.url !== '/silent') response.writeHead(204);
      if (request.url !== '/silent') response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const { signal } = new AbortController();
const options: SendOptions = { allowPrivate: true, connectTimeoutMs: 5_000, timeoutMs: 5_000, signal };
const message = (url: string) => ({ url, headers: { 'content-type': 'application/json' }, body: '{"é":1}' });
const refused = (reason: RegExp) => (error: unknown) => error instanceof WebhookSendError && reason.test(error.message);

test('sends a message and returns the status of the reply without following redirects', async () => {
  assert.equal(await sendWebhook(message(`http://127.0.0.1:${port}/hook`), options), 204);
  assert.equal(await sendWebhook(message(`http://127.0.0.1:${port}/redirect`), options), 302);
  assert.deepEqual(bodies, ['POST /hook {"é":1}', 'POST /redirect {"é":1}']);
});

test('sends nothing to private addresses, literal or resolved from a name, without naming them in the error', async () => {
  const safe: SendOptions = { ...options, allowPrivate: false };
  const seen = bodies.length;
  await assert.rejects(sendWebhook(message(`http://127.0.0.1:${port}/`), safe), refused(/^refused$/));
  await assert.rejects(sendWebhook(message(`http://[::1]:${port}/`), safe), refused(/^refused$/));
  // A name that leads to a public address and a private one may lead to either.
  const resolve = async () => [
    { address: '8.8.8.8', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  await assert.rejects(
    sendWebhook(message(`http://rebind.example:${port}/`), { ...safe, resolve }),
    refused(/^refused$/),
  );
  // The same for a name that does not exist: the difference would list the names of an internal network.
  const none = { ...safe, resolve: async () => [] };
  await assert.rejects(sendWebhook(message(`http://no-address.example:${port}/`), none), refused(/^refused$/));
  assert.equal(bodies.length, seen);
});

test('sends nothing to ports of other services', async () => {
  await assert.rejects(sendWebhook(message('http://127.0.0.1:22/'), options), refused(/^refused$/));
});

test('connects to the address that was checked', async () => {
  const asked: string[] = [];
  const resolve = async (name: string) => {
    asked.push(name);
    return [{ address: '127.0.0.1', family: 4 }];
  };
  assert.equal(await sendWebhook(message(`http://hooks.example:${port}/named`), { ...options, resolve }), 204);
  assert.deepEqual(asked, ['hooks.example']);
});

test('rejects with the reason when a receiver does not reply', async () => {
  const rejects = (url: string, given: Partial<SendOptions>, reason: RegExp) =>
    assert.rejects(sendWebhook(message(url), { ...options, ...given }), refused(reason));
  await rejects(`http://127.0.0.1:${port}/silent`, { timeoutMs: 20 }, /^no reply within 0\.02 s$/);
});

test('gives up early when a name server or a TLS handshake does not end', async () => {
  const rejects = (url: string, given: Partial<SendOptions>) =>
    assert.rejects(
      sendWebhook(message(url), { ...options, connectTimeoutMs: 20, ...given }),
      refused(/^no connection within 0\.02 s$/),
    );
  await rejects('http://hooks.example/', { resolve: () => new Promise(() => {}) });
  const silent = createTcpServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  await rejects(`https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`, {});
  silent.close();
});

test('refuses invalid target URLs when a webhook is created', () => {
  const isRefused = (error: unknown): boolean => error instanceof ApiError && error.code === 'webhook_target_refused';
  for (const url of [
    'nothing',
    'ftp://example.com/',
    'file:///etc/passwd',
    'http://user:secret@example.com/',
    'http://127.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost:8080/',
    'http://metadata.google.internal/',
    'http://example.com:22/',
    'https://example.com:1023/',
  ]) {
    assert.throws(() => checkWebhookUrl(url, { allowPrivate: false }), isRefused, url);
  }
  checkWebhookUrl('https://example.com/hook?x=1', { allowPrivate: false });
  for (const port of [80, 443, 1024, 65_535]) checkWebhookUrl(`http://example.com:${port}/`, { allowPrivate: false });
  checkWebhookUrl('http://127.0.0.1/', { allowPrivate: true });
  assert.throws(() => checkWebhookUrl('ftp://127.0.0.1/', { allowPrivate: true }), isRefused);
});
