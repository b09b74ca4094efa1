import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRequest, type NodeRequest, type ReceivedSignature, signRequest, TIME_HEADER } from './node-signature.ts';

const SECRET = 'a'.repeat(64);
const REQUEST: NodeRequest = { node: 'n1', subject: ['project_1', 'run_1'] };
const AT = new Date('2026-03-01T00:00:00.123Z');

function sign(): ReceivedSignature & { readonly isAnswered: (proof: string | null) => boolean } {
  const { headers, isAnswered } = signRequest(SECRET, REQUEST, AT);
  return { authorization: headers.authorization, time: headers[TIME_HEADER], isAnswered };
}

test('a signed request is accepted with its time, and its answer proves that the node has the secret', () => {
  const { isAnswered, ...signature } = sign();
  const checked = checkRequest(SECRET, REQUEST, signature);
  assert.equal(checked?.signedAtMs, AT.getTime());
  assert.equal(isAnswered(checked.proof), true);
  assert.equal(JSON.stringify(signature).includes(SECRET), false);
});

test('a request of the release before has no time', () => {
  assert.equal(checkRequest(SECRET, REQUEST, { ...sign(), time: null })?.signedAtMs, null);
});

test('a request for another node, project or run is refused, and one of another secret', () => {
  const signature = sign();
  for (const change of [{ node: 'n2' }, { subject: ['project_2', 'run_1'] }, { subject: ['project_1', 'run_2'] }]) {
    assert.equal(checkRequest(SECRET, { ...REQUEST, ...change }, signature), null);
  }
  assert.equal(checkRequest('b'.repeat(64), REQUEST, signature), null);
});

test('texts that are no signature are refused', () => {
  const { authorization, time } = sign();
  for (const text of [
    '',
    'Node ',
    'Bearer token',
    authorization.slice(0, -1),
    `${authorization}0`,
    `${authorization}é`,
  ]) {
    assert.equal(checkRequest(SECRET, REQUEST, { authorization: text, time }), null);
  }
});

test('another time than the signed one is refused, and that of another request', () => {
  const { authorization, time } = sign();
  const [, proof = ''] = time?.split('.') ?? [];
  for (const text of ['', '.', `${AT.getTime() + 1}.${proof}`, `${AT.getTime()}.`, `${time}0`, proof, sign().time]) {
    assert.equal(checkRequest(SECRET, REQUEST, { authorization, time: text }), null);
  }
});

test('an answer to another request, and the request itself, prove nothing', () => {
  const { isAnswered, ...signature } = sign();
  assert.equal(isAnswered(checkRequest(SECRET, REQUEST, sign())?.proof ?? null), false);
  for (const text of [signature.authorization, signature.time ?? '']) assert.equal(isAnswered(text.slice(-64)), false);
  assert.equal(isAnswered(null), false);
});
