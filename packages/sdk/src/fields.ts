/** Readers of fields of a reply. Each throws `UnexpectedReplyError` naming the field that is not as the API has it. */
import { UnexpectedReplyError } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

/** One page of a list. */
export interface Page<Item> {
  readonly skip: number;
  readonly limit: number;
  /** Items in the whole list. */
  readonly total: number;
  readonly items: readonly Item[];
}

/** A field that is null or left out is null. */
export function orNull<Value>(value: unknown, parse: (present: unknown) => Value): Value | null {
  return value === undefined || value === null ? null : parse(value);
}

export function objectAt(value: unknown, field: string): JsonObject {
  if (!isObject(value)) throw unexpected(field, 'an object', value);
  return value;
}

export function listAt(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected(field, 'a list', value);
  return value;
}

export function textAt(value: unknown, field: string): string {
  if (typeof value !== 'string') throw unexpected(field, 'text', value);
  return value;
}

export function numberAt(value: unknown, field: string): number {
  if (typeof value !== 'number') throw unexpected(field, 'a number', value);
  return value;
}

export function booleanAt(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw unexpected(field, 'true or false', value);
  return value;
}

/** Epoch seconds, or ISO 8601 text. */
export function dateAt(value: unknown, field: string): Date {
  const date = new Date(typeof value === 'number' ? value * 1000 : typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw unexpected(field, 'epoch seconds or an ISO 8601 date', value);
  return date;
}

export function wordAt<Word extends string>(words: Readonly<Record<Word, true>>, value: unknown, field: string): Word {
  const isWord = (word: string): word is Word => Object.hasOwn(words, word);
  if (typeof value !== 'string' || !isWord(value)) {
    throw unexpected(field, `one of ${Object.keys(words).join(', ')}`, value);
  }
  return value;
}

export function pageOf<Item>(reply: unknown, parse: (item: unknown) => Item): Page<Item> {
  const page = objectAt(reply, 'a page');
  return {
    skip: numberAt(page.skip, 'skip'),
    limit: numberAt(page.limit, 'limit'),
    total: numberAt(page.total, 'total'),
    items: listAt(page.data, 'data').map(parse),
  };
}

export function unexpected(field: string, expected: string, got: unknown): UnexpectedReplyError {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 60);
  return new UnexpectedReplyError(
    `expected ${field} to be ${expected}, got ${shown}; is url the address of a gptj-cloud server?`,
  );
}
