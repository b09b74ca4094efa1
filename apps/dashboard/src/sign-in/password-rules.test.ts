import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordRules } from './password-rules.ts';

const met = (password: string, kind: 'registration' | 'account'): readonly boolean[] =>
  passwordRules(password, kind).map(({ isMet }) => isMet);

test('rules are ticked off one by one', () => {
  assert.deepEqual(met('', 'registration'), [false, false, false, false]);
  assert.deepEqual(met('Abcdefg', 'registration'), [false, false, true, true]);
  assert.deepEqual(met('Abcdefg1', 'registration'), [true, true, true, true]);
});

test('an account without the rules of registration needs the length alone', () => {
  assert.deepEqual(met('abcdefgh', 'account'), [true]);
  assert.deepEqual(met('🦊🦊🦊🦊', 'account'), [false]);
});
