import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integerOption, type OptionSpec, parseOptions, type RefusedOption, UsageError } from './options.ts';

const SPECS: readonly OptionSpec[] = [
  { name: 'model', short: 'm', value: 'FILE', summary: '' },
  { name: 'top-p', value: 'X', summary: '' },
  { name: 'type', value: 'TYPE', summary: '', choices: ['f16', 'q8_0'] },
  { name: 'do-sample', value: null, summary: '' },
];

function values(...args: string[]): Record<string, string> {
  return Object.fromEntries(parseOptions(SPECS, args).values);
}

function refusal(...args: string[]): string {
  try {
    parseOptions(SPECS, args);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  assert.fail('expected a UsageError');
}

test('takes values from the next argument or after =, for long and short names, with hyphens or underscores', () => {
  assert.deepEqual(values('--model', 'a', '--top-p=0.9'), { model: 'a', 'top-p': '0.9' });
  assert.deepEqual(values('-m', 'a', '--top_p', '0.9'), { model: 'a', 'top-p': '0.9' });
  assert.deepEqual(values('--model', '-'), { model: '-' });
  assert.deepEqual(values('--top-p', '-1'), { 'top-p': '-1' });
  assert.deepEqual(values('--model='), { model: '' });
});

test('sets a switch by its name, --no-name or =value, and never takes the next argument as its value', () => {
  assert.deepEqual(values('--do-sample'), { 'do-sample': 'true' });
  assert.deepEqual(values('--no-do-sample'), { 'do-sample': 'false' });
  assert.deepEqual(values('--do_sample=false'), { 'do-sample': 'false' });
  const parsed = parseOptions(SPECS, ['--do-sample', 'prompt']);
  assert.deepEqual(parsed.positionals, ['prompt']);
});

test('takes the last value of a repeated option, and every argument after -- as positional', () => {
  assert.deepEqual(values('--model', 'a', '--model', 'b'), { model: 'b' });
  assert.deepEqual(parseOptions(SPECS, ['x', '--', '--model', '-y']).positionals, ['x', '--model', '-y']);
});

test('refuses an unknown option and suggests the nearest known name', () => {
  assert.equal(refusal('--modle', 'x'), 'unknown option --modle; did you mean --model?');
  assert.equal(refusal('--topp'), 'unknown option --topp; did you mean --top-p?');
  assert.equal(refusal('--zebra-crossing'), 'unknown option --zebra-crossing');
  assert.equal(refusal('-x'), 'unknown option -x');
  assert.equal(refusal('--no-model'), 'unknown option --no-model');
});

test('refuses a missing or invalid value and states the expected one', () => {
  assert.equal(refusal('--model'), '--model expects a value: --model FILE');
  assert.equal(refusal('--model', '--top-p', '1'), '--model expects a value: --model FILE');
  assert.equal(refusal('--type', 'q9'), '--type: expected one of f16, q8_0, got "q9"');
  assert.equal(refusal('--do-sample=maybe'), '--do-sample=maybe: expected true or false, or nothing, after =');
});

test('checks integers against their bounds', () => {
  const number = (text: string): number | null =>
    integerOption(parseOptions(SPECS, [`--top-p=${text}`]), 'top-p', { min: 1, max: 10 });
  assert.equal(number('10'), 10);
  for (const text of ['0', '11', '-1', '1.5', '', 'ten', '0x5', '99999999999999999999']) {
    assert.throws(() => number(text), UsageError);
  }
  assert.equal(integerOption(parseOptions(SPECS, []), 'top-p', { min: 1, max: 10 }), null);
});

test('takes other names of an option, with one dash where they have one letter or are short', () => {
  const specs = [{ name: 'max-new-tokens', value: 'N', summary: '', aliases: ['max-tokens', 's', 'npl'] }];
  for (const flag of ['--max-tokens', '-s', '-npl', '--npl']) {
    assert.deepEqual(Object.fromEntries(parseOptions(specs, [flag, '3']).values), { 'max-new-tokens': '3' }, flag);
  }
  assert.throws(() => parseOptions(specs, ['--s', '3']), /unknown option --s/);
});

test('refuses options of other programs with their answer', () => {
  const refused: readonly RefusedOption[] = [{ names: ['t', 'ctx-size'], answer: 'use another' }];
  assert.throws(() => parseOptions(SPECS, ['-t', '4'], refused), /^UsageError: -t: use another$/);
  assert.throws(() => parseOptions(SPECS, ['--ctx-size', '4'], refused), /^UsageError: --ctx-size: use another$/);
});
