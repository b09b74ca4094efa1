import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from './api-error.ts';
import { parseOrderBy, parsePageQuery, parseQueryBoolean } from './query.ts';

const isInvalid = (error: unknown): boolean => error instanceof ApiError && error.code === 'invalid_request';

test('booleans are read as requests, httpx and people write them', () => {
  for (const value of ['True', 'true', 'TRUE', '1']) assert.equal(parseQueryBoolean('return_data', value), true);
  for (const value of ['False', 'false', '0', '', undefined]) {
    assert.equal(parseQueryBoolean('return_data', value), false);
  }
  assert.throws(() => parseQueryBoolean('return_data', 'maybe'), isInvalid);
});

test('order_by takes known fields and both directions, and nothing else', () => {
  const fields = ['created_at'] as const;
  assert.deepEqual(parseOrderBy('created_at:desc', fields), { field: 'created_at', direction: 'desc' });
  assert.deepEqual(parseOrderBy('created_at:asc', fields), { field: 'created_at', direction: 'asc' });
  assert.deepEqual(parseOrderBy(undefined, fields), { field: 'created_at', direction: 'desc' });
  for (const bad of ['created_at', 'id:asc', 'created_at:DESC', 'created_at:asc:asc', '__proto__:asc', ':']) {
    assert.throws(() => parseOrderBy(bad, fields), isInvalid, bad);
  }
});

test('skip and limit have defaults and bounds', () => {
  const parse = (skip?: string, limit?: string): unknown =>
    parsePageQuery({ skip, limit, orderBy: undefined }, ['created_at']);
  const orderBy = { field: 'created_at', direction: 'desc' };
  assert.deepEqual(parse(), { skip: 0, limit: 20, orderBy });
  assert.deepEqual(parse('', '5'), { skip: 0, limit: 5, orderBy });
  for (const bad of ['-1', '1.5', 'x', '1e3', '99999999999', ' 1']) assert.throws(() => parse(bad), isInvalid, bad);
  for (const bad of ['0', '101']) assert.throws(() => parse('0', bad), isInvalid, bad);
});
