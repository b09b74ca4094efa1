import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from './logger.ts';

const AT = new Date(2026, 0, 2, 3, 4, 5);

function written(colours = false) {
  const lines: string[] = [];
  const log = createLogger(
    (line) => lines.push(line),
    () => AT,
    { format: 'text', colours },
  );
  return { log, lines };
}

test('writes an entry as one line that people read', () => {
  const { log, lines } = written();
  log.info('request', { method: 'GET', path: '/v2/runs', status: 200, model: 'a model', queue: { ms: 3 } });
  assert.deepEqual(lines, [
    '03:04:05 info  request  method=GET  path=/v2/runs  status=200  model="a model"  queue.ms=3\n',
  ]);
});

test('writes a mail readably, its text below the line', () => {
  const { log, lines } = written();
  log.warn('mail was not sent', { to: 'a@b.c', subject: 'Reset', text: 'Hello,\nopen http://x/#y' });
  assert.equal(
    lines[0],
    '03:04:05 warn  mail was not sent  to=a@b.c  subject=Reset\n    Hello,\n    open http://x/#y\n',
  );
});

test('writes an error with its stack and cause below the line', () => {
  const { log, lines } = written();
  log.error('failed', { error: new Error('outer', { cause: new Error('inner') }) });
  assert.match(lines[0] ?? '', /^03:04:05 error failed {2}error.name=Error {2}error.message=outer/);
  assert.match(lines[0] ?? '', /error\.cause\.message=inner/);
  assert.match(lines[0] ?? '', /\n {8}at /);
});

test('escapes what a terminal would obey, wherever a client sent it', () => {
  const { log, lines } = written();
  const attack = 'a\u001b[2J\u009b1m\u202eb\u0007';
  log.info('request', { path: attack, text: attack });
  assert.doesNotMatch((lines[0] ?? '').replaceAll('\n', ''), /\p{Cc}|\u202e/u);
  assert.match(lines[0] ?? '', /\\u001b\[2J/);
});

test('colours the level only', () => {
  const { log, lines } = written(true);
  log.warn('careful');
  assert.equal(lines[0], '03:04:05 \u001b[33mwarn \u001b[0m careful\n');
});
