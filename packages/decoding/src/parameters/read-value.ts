import type { TokenId } from '@gptj-cloud/model';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS } from './parameter-context.ts';
import { showValue } from './show-value.ts';

/**
 * The fields of a request after `null` was dropped (null means absent). A Map, so that a field name cannot access a
 * prototype.
 */
export type Fields = ReadonlyMap<string, unknown>;

/** Bounds of one number. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  /** A remark for the error message, such as how to switch the parameter off. */
  readonly hint?: string;
}

/** Throws `invalid_parameter` in the form "NAME: expected …, got …". */
export function refuse(name: string, expected: string, value: unknown): never {
  throw new ParameterError('invalid_parameter', [name], `${name}: expected ${expected}, got ${showValue(value)}`);
}

/** A number. Integers are numbers; booleans, NaN and the infinities are not. */
export function toNumber(name: string, value: unknown, bounds: Bounds = {}): number {
  return toBoundedNumber(name, value, 'number', bounds);
}

/** An integer; 2.0 is one. */
export function toInteger(name: string, value: unknown, bounds: Bounds = {}): number {
  return toBoundedNumber(name, value, 'integer', bounds);
}

/** A number or an integer within bounds. */
export function toBoundedNumber(name: string, value: unknown, type: 'number' | 'integer', bounds: Bounds): number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, above = Number.NEGATIVE_INFINITY } = bounds;
  const isRightType = type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (typeof value !== 'number' || !isRightType || value < min || value > max || value <= above) {
    refuse(name, `${type === 'integer' ? 'an integer' : 'a number'}${describeBounds(bounds)}`, value);
  }
  return value;
}

/** true or false; other truthy or falsy values are refused. */
export function toBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') refuse(name, 'true or false', value);
  return value;
}

/** A non-empty string. */
export function toText(name: string, value: unknown, expected: string): string {
  if (value === '') refuse(name, expected, value);
  return toWellFormed(name, value, expected);
}

/** A string without lone surrogates: valid text has none, so such a string could never match. */
export function toWellFormed(name: string, value: unknown, expected: string): string {
  if (typeof value !== 'string') refuse(name, expected, value);
  if (/\p{Surrogate}/u.test(value)) refuse(name, 'whole characters (half of a surrogate pair stands alone)', value);
  return value;
}

/** A plain object's own fields. */
export function toFields(name: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(name, 'an object', value);
  const names = Object.keys(value);
  if (names.length > LIMITS.fields) {
    throw new ParameterError(
      'limit_exceeded',
      [name],
      `${name}: expected at most ${LIMITS.fields} fields, got ${names.length}`,
    );
  }
  return new Map(Object.entries(value).filter(([, field]) => field !== null && field !== undefined));
}

/** Throws unless every field is among `known`. */
export function refuseUnknownFields(name: string, fields: Fields, known: readonly string[]): void {
  const unexpected = [...fields.keys()].filter((field) => !known.includes(field));
  if (unexpected.length > 0) refuse(name, `only the fields ${known.join(', ')}`, unexpected);
}

/** One id of the vocabulary. */
export function toTokenId(name: string, value: unknown, vocabSize: number): TokenId {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= vocabSize) {
    refuse(name, `token ids from 0 to ${vocabSize - 1}`, value);
  }
  return value;
}

/** " from 0 to 1", " above 0", … and the hint in parentheses. */
function describeBounds({ min, max, above, hint }: Bounds): string {
  const remark = hint === undefined ? '' : ` (${hint})`;
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}${remark}`;
  const parts = [
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(min === undefined ? [] : [`of at least ${min}`]),
    ...(max === undefined ? [] : [above === undefined ? `of at most ${max}` : `up to ${max}`]),
  ];
  return parts.length === 0 ? remark : ` ${parts.join(' and ')}${remark}`;
}
