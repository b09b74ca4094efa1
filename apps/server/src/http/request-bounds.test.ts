import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { checkBounds } from './request-bounds.ts';

function check(path: string, headers: Record<string, string> = {}): string | undefined {
  try {
    checkBounds(new Request(`http://host:80${path}`, { headers }));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return `${error.status} ${error.message}`;
  }
}

test('accepts a path and a query of 2048 bytes each, and refuses longer ones with 414', () => {
  const longest = `/${'a'.repeat(2047)}?${'b'.repeat(2047)}`;
  assert.equal(check(longest), undefined);
  assert.match(check(`${longest}b`) ?? '', /^414 the query .* at most 2048 bytes, got 2049/);
  assert.match(check(`/a${longest}`) ?? '', /^414 the path .* at most 2048 bytes/);
});

test('refuses control characters in addresses, encoded in either case', () => {
  for (const code of ['%00', '%0a', '%0D', '%1f', '%7F', '%C2%80', '%c2%9f']) {
    assert.match(check(`/v2/runs/a${code}`) ?? '', /^400 the address contains the control character %/);
    assert.match(check(`/v2/runs?pipeline_id=${code}`) ?? '', /^400/);
  }
  for (const text of ['%20', '%C3%80', '%C2%A0', '%2500', '%FF', '%', '%zz'])
    assert.equal(check(`/a${text}`), undefined);
});

test('refuses control characters in headers, and accepts UTF-8 and tabs', () => {
  assert.match(check('/', { 'x-project-id': 'a\u0001' }) ?? '', /^400 the header x-project-id .* U\+0001/);
  assert.equal(check('/', { 'user-agent': 'a\tb \u00c3\u0080' }), undefined);
});
