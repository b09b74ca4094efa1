import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, MAX_PAGE } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { header, PAGE, type ParameterSet, query, readParameters } from './parameter.ts';

function read<Parameters extends ParameterSet>(
  parameters: Parameters,
  search: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const values = new URLSearchParams(search);
  const given = new Headers(headers);
  return readParameters(
    { query: (name) => values.get(name) ?? undefined, header: (name) => given.get(name) ?? undefined },
    parameters,
  );
}

const refuses =
  (error: RegExp) =>
  (thrown: unknown): boolean =>
    thrown instanceof ApiError && thrown.code === 'invalid_request' && error.test(thrown.message);

test('reads booleans as requests, httpx and users write them', () => {
  const parameters = { flag: query('flag', 'A flag.', z.boolean().default(false)) };
  for (const value of ['True', 'true', 'TRUE', '1']) assert.equal(read(parameters, `flag=${value}`).flag, true);
  for (const value of ['False', 'false', '0', '']) assert.equal(read(parameters, `flag=${value}`).flag, false);
  assert.equal(read(parameters, '').flag, false);
  assert.throws(() => read(parameters, 'flag=maybe'), refuses(/query->flag: expected true or false, got "maybe"/));
});

test('reads the order of a list in both directions, and nothing else', () => {
  const orderOf = (search: string) => read(PAGE, search).orderBy;
  assert.deepEqual(orderOf('order_by=created_at%3Adesc'), { field: 'created_at', direction: 'desc' });
  assert.deepEqual(orderOf('order_by=created_at:asc'), { field: 'created_at', direction: 'asc' });
  assert.deepEqual(orderOf(''), { field: 'created_at', direction: 'desc' });
  for (const bad of ['created_at', 'id:asc', 'created_at:DESC', 'created_at:asc:asc', '__proto__:asc', ':']) {
    assert.throws(() => orderOf(`order_by=${bad}`), refuses(/query->order_by: expected one of created_at:desc, /), bad);
  }
});

test('gives skip and limit defaults and bounds', () => {
  const pageOf = (search: string) => {
    const { skip, limit } = read(PAGE, search);
    return [skip, limit];
  };
  assert.deepEqual(pageOf(''), [0, 20]);
  assert.deepEqual(pageOf('skip=&limit=5'), [0, 5]);
  assert.deepEqual(pageOf(`skip=2147483647&limit=${MAX_PAGE}`), [2_147_483_647, MAX_PAGE]);
  for (const bad of ['-1', '1.5', 'x', '1e3', '0x1', '99999999999', '2147483648', '%201']) {
    assert.throws(() => pageOf(`skip=${bad}`), refuses(/query->skip: expected an integer from 0 to 2147483647, got "/));
  }
  for (const bad of ['0', '101']) assert.throws(() => pageOf(`limit=${bad}`), refuses(/from 1 to 100/));
});

test('truncates a long value in an error', () => {
  assert.throws(
    () => read(PAGE, `limit=${'9'.repeat(5000)}`),
    (error) => error instanceof ApiError && error.message.length < 200,
  );
});

test('reads a header by its own name, and accepts an empty one', () => {
  const parameters = {
    key: header('Idempotency-Key', 'A key.', z.string().regex(/^\w+$/, 'expected a word').optional()),
  };
  assert.equal(read(parameters, '', { 'idempotency-key': 'k1' }).key, 'k1');
  assert.equal(read(parameters, '').key, undefined);
  assert.throws(
    () => read(parameters, '', { 'idempotency-key': '' }),
    refuses(/header->Idempotency-Key: expected a word, got ""/),
  );
});
