import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTestArguments } from './test-arguments.mjs';

test('parses paths, name patterns and flags', () => {
  assert.deepEqual(parseTestArguments(['packages/pickle', '-t', 'refuses', '--test-name-pattern=keeps', '--watch']), {
    paths: ['packages/pickle'],
    patterns: ['refuses', 'keeps'],
    watch: true,
    help: false,
  });
});

test('refuses an unknown option', () => {
  assert.throws(() => parseTestArguments(['--grep', 'x']), { name: 'TestUsageError', message: /--grep/ });
});

test('refuses a name pattern that is no regular expression', () => {
  assert.throws(() => parseTestArguments(['-t', 'f(']), { name: 'TestUsageError', message: /regular expression/ });
  assert.deepEqual(parseTestArguments(['-t', '/REFUSES/i']).patterns, ['/REFUSES/i']);
});
