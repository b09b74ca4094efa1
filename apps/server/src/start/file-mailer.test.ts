import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLogger } from '../telemetry/logger.ts';
import { createFileMailer } from './file-mailer.ts';

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'gptj-mail-'));
});
after(() => rm(base, { recursive: true }));

function mailer(name: string) {
  const lines: string[] = [];
  let now = 0;
  const clock = (): Date => new Date(now++);
  const logger = createLogger((line) => lines.push(line), clock);
  const folder = join(base, name, 'mail');
  return { lines, folder, mails: createFileMailer({ folder, clock, logger }) };
}

test('writes each message to a file for its owner alone; the log names the file and holds no link', async () => {
  const { lines, folder, mails } = mailer('one');
  mails.send({ to: 'a@b.c', subject: 'Set a new password', text: 'open http://x/#secret' });
  await mails.close();
  const { file, to } = JSON.parse(lines[0] ?? '{}');
  assert.equal(await readFile(file, 'utf8'), 'To: a@b.c\nSubject: Set a new password\n\nopen http://x/#secret\n');
  assert.deepEqual([to, lines.join('').includes('secret')], ['a@b.c', false]);
  if (process.platform !== 'win32') {
    assert.deepEqual([(await stat(file)).mode & 0o777, (await stat(folder)).mode & 0o777], [0o600, 0o700]);
  }
});

test('keeps the latest 200 messages', async () => {
  const { folder, mails } = mailer('many');
  for (let i = 0; i < 203; i++) mails.send({ to: 'a@b.c', subject: 's', text: `number ${i}` });
  await mails.close();
  const names = (await readdir(folder)).sort();
  assert.equal(names.length, 200);
  assert.match(await readFile(join(folder, names[0]!), 'utf8'), /number 3\n/);
});
