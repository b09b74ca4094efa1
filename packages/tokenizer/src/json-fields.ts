import { TokenizerError, type TokenizerErrorCode } from './tokenizer-error.ts';

/** A parsed JSON object of a tokenizer's file, not yet checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Throws `code` for anything but an object. */
export function fieldsOf(value: unknown, where: string, code: TokenizerErrorCode): Fields {
  if (isFields(value)) return value;
  throw new TokenizerError(code, `${where}: expected an object, got ${kindOf(value)}`);
}

/** Throws `code` for anything but an array. */
export function arrayOf(value: unknown, where: string, code: TokenizerErrorCode): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TokenizerError(code, `${where}: expected an array, got ${kindOf(value)}`);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON type name of a value, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : value === undefined ? 'nothing' : typeof value;
}
