import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { runCommandLine } from '../command-line.ts';
import { recordingOutput } from '../testing/recording-output.ts';

const BODY = { detail: { code: 'maintenance', message: 'back at noon', remedy: '' } };
let server: Server;
let url: string;
before(async () => {
  server = createServer((request, reply) => {
    request.resume();
    reply.writeHead(503, { 'content-type': 'application/json', 'retry-after': '50' });
    reply.end(JSON.stringify(BODY));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

test('a command that waits for the end of a maintenance says why, and until when', async () => {
  const stop = new AbortController();
  const said: string[] = [];
  const stderr = recordingOutput({}).output;
  const status = await runCommandLine(['run', 'Once', '--url', url, '--token', 'token-0123'], {
    stdout: recordingOutput({}).output,
    stderr: {
      ...stderr,
      write: (text) => {
        said.push(text);
        // The wait itself is not waited for.
        stop.abort();
      },
    },
    stdin: Readable.from([]),
    env: {},
    signal: stop.signal,
    now: () => 0,
  });
  assert.match(said[0] ?? '', /503: back at noon; trying again in 5[0-5] s \(1 of 2\)\n$/);
  assert.notEqual(status, 0);
});
