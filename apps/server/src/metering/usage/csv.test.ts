import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvLines } from './csv.ts';

test('quotes cells where RFC 4180 requires it, and ends lines with CRLF', () => {
  assert.equal(
    csvLines([
      ['a', 1, ''],
      ['b,c', 'say "hi"', 'x\ny'],
    ]),
    'a,1,\r\n"b,c","say ""hi""","x\ny"\r\n',
  );
  assert.equal(csvLines([]), '');
});

test('no string starts a formula in a spreadsheet', () => {
  for (const text of [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '  =1',
    '＝1',
    '-2+3+cmd|" /C calc"!A0',
  ]) {
    const cell = csvLines([[text]]);
    assert.ok(cell.startsWith(`"'${text[0]}`), JSON.stringify(cell));
  }
  // Numbers stay numbers, also negative ones; a dash inside a string is harmless.
  assert.equal(csvLines([[-1, 'gpt-j', 'a=b']]), '-1,gpt-j,a=b\r\n');
});
