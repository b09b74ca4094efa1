import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { createLogger } from '../telemetry/logger.ts';
import { createLogMailer, createSmtpMailer } from './mailer.ts';

const logLines: string[] = [];
const logger = createLogger(
  (line) => logLines.push(line),
  () => new Date(0),
);
const MESSAGE = { to: 'percy@example.com', subject: 'Set a new password', text: 'Hello,\n\nhttp://test/#secret\n' };

/** The part of SMTP that accepts a message. Records the commands of clients. */
const commands: string[] = [];
const server = createServer((socket) => {
  socket.write('220 test\r\n');
  let inData = false;
  createInterface({ input: socket }).on('line', (line) => {
    commands.push(line);
    if (inData) {
      if (line === '.') {
        inData = false;
        socket.write('250 taken\r\n');
      }
    } else if (line === 'DATA') {
      inData = true;
      socket.write('354 go on\r\n');
    } else if (line === 'QUIT') socket.end('221 bye\r\n');
    else socket.write('250 ok\r\n');
  });
});
let url: string;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
after(() => server.close());

test('sends a message through the SMTP server, and close waits for it', async () => {
  const mailer = createSmtpMailer(url, 'gptj-cloud <noreply@example.com>', logger);
  mailer.send(MESSAGE);
  await mailer.close();
  await mailer.close();
  const text = commands.join('\n');
  assert.match(text, /MAIL FROM:<noreply@example.com>/);
  assert.match(text, /RCPT TO:<percy@example.com>/);
  assert.match(text, /Subject: Set a new password/);
  assert.match(text, /http:\/\/test\/#secret/);
  assert.equal(logLines.length, 0);
});

test('logs a message that cannot be sent, without its link', async () => {
  const mailer = createSmtpMailer('smtp://127.0.0.1:1', 'noreply@example.com', logger);
  mailer.send(MESSAGE);
  await mailer.close();
  assert.match(logLines.join(''), /mail could not be sent/);
  assert.doesNotMatch(logLines.join(''), /secret/);
});

test('logs the link when there is no SMTP server', async () => {
  const mailer = createLogMailer(logger);
  mailer.send(MESSAGE);
  await mailer.close();
  assert.match(logLines.at(-1) ?? '', /http:\/\/test\/#secret/);
});
