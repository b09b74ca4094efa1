import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRequest, type NodeRequest, signRequest } from './node-signature.ts';

const SECRET = 'a'.repeat(64);
const REQUEST: NodeRequest = { node: 'n1', subject: ['project_1', 'run_1'] };

test('a signed request is accepted, and its answer proves that the node has the secret', () => {
  const { authorization, isAnswered } = signRequest(SECRET, REQUEST);
  const proof = checkRequest(SECRET, REQUEST, authorization);
  assert.equal(isAnswered(proof), true);
  assert.equal(authorization.includes(SECRET), false);
});

test('a request for another node, project or run is refused, and one of another secret', () => {
  const { authorization } = signRequest(SECRET, REQUEST);
  for (const change of [{ node: 'n2' }, { subject: ['project_2', 'run_1'] }, { subject: ['project_1', 'run_2'] }]) {
    assert.equal(checkRequest(SECRET, { ...REQUEST, ...change }, authorization), null);
  }
  assert.equal(checkRequest('b'.repeat(64), REQUEST, authorization), null);
});

test('texts that are no signature are refused', () => {
  const { authorization } = signRequest(SECRET, REQUEST);
  for (const text of [
    '',
    'Node ',
    'Bearer token',
    authorization.slice(0, -1),
    `${authorization}0`,
    `${authorization}é`,
  ]) {
    assert.equal(checkRequest(SECRET, REQUEST, text), null);
  }
});

test('an answer to another request, and the request itself, prove nothing', () => {
  const { authorization, isAnswered } = signRequest(SECRET, REQUEST);
  const other = signRequest(SECRET, REQUEST);
  assert.equal(isAnswered(checkRequest(SECRET, REQUEST, other.authorization)), false);
  assert.equal(isAnswered(authorization.slice(-64)), false);
  assert.equal(isAnswered(null), false);
});
