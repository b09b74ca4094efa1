import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, renderPairs, renderTable } from './table.ts';

const COLUMNS: readonly Column[] = [{ title: 'tensor' }, { title: 'size', align: 'right' }];

test('makes columns as wide as their widest cell, aligns numbers right and trims lines', () => {
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

test('cuts the widest text column of a table that is wider than the terminal', () => {
  const table = renderTable(COLUMNS, [['transformer.wte.weight', '412 MB']], 20);
  assert.deepEqual(table.split('\n')[2], 'transformer…  412 MB');
});

test('never cuts a column of ids', () => {
  const columns = [{ title: 'id', isWhole: true }, { title: 'name' }];
  const table = renderTable(columns, [['token_0123456789abcdef', 'a name of some length']], 24);
  assert.deepEqual(table.split('\n')[2], 'token_0123456789abcdef  a name …');
});

test('makes control characters of a file visible', () => {
  assert.match(renderTable(COLUMNS, [['a\u001b[2Jb\n', '1']], 80), /a<1b>\[2Jb<0a>/);
  assert.equal(renderPairs([['name', 'x\u202ey']], 80), 'name  x<202e>y\n');
});

test('aligns the values of pairs and leaves out empty ones', () => {
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
