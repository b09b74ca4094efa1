import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isId, newId } from './ids.ts';

test('ids are 32 lower-case hex digits behind their kind, and no two are the same', () => {
  const ids = Array.from({ length: 1000 }, () => newId('run'));
  assert.ok(ids.every((id) => isId('run', id)));
  assert.equal(new Set(ids).size, ids.length);
});
