import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanModule } from './module-scan.mjs';

test('every form of import is read, with its line', () => {
  const { imports } = scanModule(`// import { no } from './comment.ts';
import './effect.ts';
import { one, type Two, three as four } from './named.ts';
import type { Five } from './types.ts';
import six from './default.ts';
import * as seven from './namespace.ts';
import {
  eight,
  nine,
} from 'package';
const ten = await import('./dynamic.ts');
/**
 * import { no } from './comment.ts';
 */
export { one } from './again.ts';
export * from './all.ts';
`);
  assert.deepEqual(
    imports.map(({ from, line, names, all }) => [from, line, names.join(' '), all]),
    [
      ['./effect.ts', 2, '', false],
      ['./named.ts', 3, 'one Two three', false],
      ['./types.ts', 4, 'Five', false],
      ['./default.ts', 5, 'default', false],
      ['./namespace.ts', 6, '', true],
      ['package', 7, 'eight nine', false],
      ['./dynamic.ts', 11, '', true],
      ['./again.ts', 15, 'one', false],
      ['./all.ts', 16, '', true],
    ],
  );
});

test('every form of export is read', () => {
  const { exports } = scanModule(`export const one = 1;
export async function two(): Promise<void> {}
export function* three() {}
export class Four {}
export abstract class Five {}
export interface Six {}
export type Seven = 1;
export { one as eight, type Seven } from './other.ts';
export * from './all.ts';
export * as nine from './group.ts';
const local = 1;
export { local };
`);
  assert.deepEqual(
    exports.map(({ name, local, from }) => (from === null && name === local ? name : [name, local, from])),
    [
      ...['one', 'two', 'three', 'Four', 'Five', 'Six', 'Seven'],
      ['eight', 'one', './other.ts'],
      ['Seven', 'Seven', './other.ts'],
      ['*', '*', './all.ts'],
      ['nine', '*', './group.ts'],
      'local',
    ],
  );
});
