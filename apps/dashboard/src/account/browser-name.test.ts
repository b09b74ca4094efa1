import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserOf } from './browser-name.ts';

test('names the browser and the system of a user agent', () => {
  const chrome =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36';
  assert.equal(browserOf(chrome), 'Chrome on Linux');
  assert.equal(browserOf(`${chrome} Edg/150.0`), 'Edge on Linux');
  assert.equal(
    browserOf(
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/605.1',
    ),
    'Safari on macOS',
  );
  assert.equal(browserOf('Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0'), 'Firefox on Android');
});

test('keeps the first word of a program', () => {
  assert.equal(browserOf('curl/8.5.0'), 'curl');
  assert.equal(browserOf(''), 'A program');
});
