import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readErrorClasses } from './error-classes.mjs';

const CLASS = `
/** The store cannot be opened. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
}
`;

test('reads codes with the comments before them', () => {
  const text = `export type StoreErrorCode =
  /** The folder is in use. */
  | 'in_use'
  /**
   * The folder
   * is gone.
   */
  | 'gone';
${CLASS}`;
  assert.deepEqual(readErrorClasses([{ path: 'a.ts', text }]), [
    {
      name: 'StoreError',
      path: 'a.ts',
      summary: 'The store cannot be opened.',
      codes: [
        { code: 'in_use', meaning: 'The folder is in use.' },
        { code: 'gone', meaning: 'The folder is gone.' },
      ],
    },
  ]);
});

test('the code of a class with one literal code has the comment of the class as its description', () => {
  const text = `/** A setting is wrong. */\nexport class ConfigError extends Error {\n  readonly code = 'invalid_config';\n}\n`;
  assert.deepEqual(readErrorClasses([{ path: 'a.ts', text }])[0].codes, [
    { code: 'invalid_config', meaning: 'A setting is wrong.' },
  ]);
});

test('refuses a code without a comment', () => {
  const text = `export type StoreErrorCode =\n  /** In use. */\n  | 'in_use'\n  | 'gone';\n${CLASS}`;
  assert.throws(() => readErrorClasses([{ path: 'a.ts', text }]), /a\.ts: expected a comment .* code 'gone'/);
});
