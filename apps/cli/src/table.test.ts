import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, renderPairs, renderTable } from './table.ts';

const COLUMNS: readonly Column[] = [{ title: 'tensor' }, { title: 'size', align: 'right' }];

test('columns are as wide as their widest cell, numbers to the right, no blanks at the ends', () => {
  assert.equal(
    renderTable(
      COLUMNS,
      [
        ['transformer.wte.weight', '412 MB'],
        ['lm_head.bias', '202 kB'],
      ],
      80,
    ),
    [
      'tensor                    size',
      '──────────────────────  ──────',
      'transformer.wte.weight  412 MB',
      'lm_head.bias            202 kB',
      '',
    ].join('\n'),
  );
});

test('a table too wide for the terminal shortens its widest text column', () => {
  const table = renderTable(COLUMNS, [['transformer.wte.weight', '412 MB']], 20);
  assert.deepEqual(table.split('\n')[2], 'transformer…  412 MB');
});

test('what is copied is never cut, however narrow the terminal', () => {
  const columns = [{ title: 'id', isWhole: true }, { title: 'name' }];
  const table = renderTable(columns, [['token_0123456789abcdef', 'a name of some length']], 24);
  assert.deepEqual(table.split('\n')[2], 'token_0123456789abcdef  a name …');
});

test('control characters of a file never reach the terminal', () => {
  assert.match(renderTable(COLUMNS, [['a\u001b[2Jb\n', '1']], 80), /a<1b>\[2Jb<0a>/);
  assert.equal(renderPairs([['name', 'x\u202ey']], 80), 'name  x<202e>y\n');
});

test('pairs line up, and empty ones are left out', () => {
  assert.equal(
    renderPairs(
      [
        ['name', 'gpt-j'],
        ['empty', ''],
        ['parameters', '6.05 B'],
      ],
      80,
    ),
    'name        gpt-j\nparameters  6.05 B\n',
  );
});
