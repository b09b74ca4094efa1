import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B } from '@gptj-cloud/model';
import { gptjRowToPhi2, phi2RowToGptj, rowRuns } from './row-order.ts';

const config = { ...GPTJ_6B, embeddingSize: 24, headCount: 2, rotaryDim: 8 };
const headSize = 12;

test('orders the rotary rows of each head even rows first, then odd rows, and keeps the other rows', () => {
  const order = Array.from({ length: 24 }, (_, row) => phi2RowToGptj(config, row));
  assert.deepEqual(order, [0, 2, 4, 6, 1, 3, 5, 7, 8, 9, 10, 11, 12, 14, 16, 18, 13, 15, 17, 19, 20, 21, 22, 23]);
});

test('the two row orders are inverse to each other, at the size of GPT-J-6B', () => {
  for (let row = 0; row < GPTJ_6B.embeddingSize; row++) {
    assert.equal(gptjRowToPhi2(GPTJ_6B, phi2RowToGptj(GPTJ_6B, row)), row);
  }
});

test('rotary embedding on halves of the exported head gives the attention scores of pairs of the original one', () => {
  const frequency = (pair: number): number => 10000 ** ((-2 * pair) / config.rotaryDim);
  const turn = (
    x: readonly number[],
    partners: (pair: number) => readonly [number, number],
    position: number,
  ): number[] => {
    const turned = [...x];
    for (let pair = 0; pair < config.rotaryDim / 2; pair++) {
      const [i, j] = partners(pair);
      const angle = position * frequency(pair);
      turned[i] = x[i]! * Math.cos(angle) - x[j]! * Math.sin(angle);
      turned[j] = x[j]! * Math.cos(angle) + x[i]! * Math.sin(angle);
    }
    return turned;
  };
  const pairs = (pair: number): readonly [number, number] => [2 * pair, 2 * pair + 1];
  const halves = (pair: number): readonly [number, number] => [pair, pair + config.rotaryDim / 2];
  const q = Array.from({ length: headSize }, (_, i) => Math.sin(i + 1));
  const k = Array.from({ length: headSize }, (_, i) => Math.cos(3 * i));
  const reorder = (x: readonly number[]): number[] => x.map((_, row) => x[phi2RowToGptj(config, row)]!);
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const original = dot(turn(q, pairs, 7), turn(k, pairs, 3));
  const exported = dot(turn(reorder(q), halves, 7), turn(reorder(k), halves, 3));
  assert.ok(Math.abs(original - exported) < 1e-12);
  assert.ok(
    Math.abs(original - dot(turn(q, halves, 7), turn(k, halves, 3))) > 1e-3,
    'in the original order they differ',
  );
});

test('runs join consecutive rows and cover every row once', () => {
  const runs = rowRuns((row) => phi2RowToGptj(config, row), 6, 8);
  assert.deepEqual(runs, [
    { row: 6, otherRow: 5, rows: 1 },
    { row: 7, otherRow: 7, rows: 6 },
    { row: 13, otherRow: 14, rows: 1 },
  ]);
});
