/** Readers of the fields of a reply. Each throws `UnexpectedReplyError` with the name of a field of another type. */
import { UnexpectedReplyError } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

/** One page of a list. */
export interface Page<Item> {
  readonly skip: number;
  readonly limit: number;
  /** Items in the whole list. */
  readonly total: number;
  readonly items: readonly Item[];
  /** The `cursor` of the next page; null on the last one, and in lists without cursors. */
  readonly nextCursor: string | null;
}

/** Null for a field that is null or absent. */
export function orNull<Value>(value: unknown, parse: (present: unknown) => Value): Value | null {
  return value === undefined || value === null ? null : parse(value);
}

export function objectAt(value: unknown, field: string): JsonObject {
  if (!isObject(value)) throw unexpected(field, 'an object', value);
  return value;
}

export function arrayAt(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected(field, 'an array', value);
  return value;
}

export function stringAt(value: unknown, field: string): string {
  if (typeof value !== 'string') throw unexpected(field, 'a string', value);
  return value;
}

export function numberAt(value: unknown, field: string): number {
  if (typeof value !== 'number') throw unexpected(field, 'a number', value);
  return value;
}

export function booleanAt(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw unexpected(field, 'a boolean', value);
  return value;
}

/** Parses epoch seconds or an ISO 8601 string. */
export function dateAt(value: unknown, field: string): Date {
  const date = new Date(typeof value === 'number' ? value * 1000 : typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw unexpected(field, 'epoch seconds or an ISO 8601 date', value);
  return date;
}

/** One of a set of string literals. */
export function literalAt<Literal extends string>(
  literals: Readonly<Record<Literal, true>>,
  value: unknown,
  field: string,
): Literal {
  const isLiteral = (text: string): text is Literal => Object.hasOwn(literals, text);
  if (typeof value !== 'string' || !isLiteral(value)) {
    throw unexpected(field, `one of ${Object.keys(literals).join(', ')}`, value);
  }
  return value;
}

export function pageOf<Item>(reply: unknown, parse: (item: unknown) => Item): Page<Item> {
  const page = objectAt(reply, 'a page');
  return {
    skip: numberAt(page.skip, 'skip'),
    limit: numberAt(page.limit, 'limit'),
    total: numberAt(page.total, 'total'),
    items: arrayAt(page.data, 'data').map(parse),
    nextCursor: orNull(page.next_cursor, (value) => stringAt(value, 'next_cursor')),
  };
}

/** Reads a value of a reply, whose name is `field`. */
export type Parse<Value> = (value: unknown, field: string) => Value;

/**
 * Reads an object with the fields of `shape`. A field has the camelCase of its name in the reply: `createdAt` reads
 * `created_at`, `per1000Tokens` reads `per_1000_tokens`.
 */
export function record<Type extends object>(
  shape: {
    readonly [Name in keyof Type]-?: Parse<Type[Name]>;
  },
): (value: unknown, field?: string) => Type {
  const fields = Object.entries<Parse<unknown>>(shape).map(([name, parse]) => {
    const wireName = name.replace(/[A-Z]|\d{3,}/g, (part) => `_${part.toLowerCase()}`);
    return { name, wireName, parse };
  });
  return (value, field = 'the reply') => {
    const raw = objectAt(value, field);
    // Every field of the type has been read by its parser.
    return Object.fromEntries(
      fields.map(({ name, wireName, parse }) => [name, parse(raw[wireName], wireName)]),
    ) as Type;
  };
}

/** Null for a value that is null or absent. */
export function nullable<Value>(parse: Parse<Value>): Parse<Value | null> {
  return (value, field) => orNull(value, (present) => parse(present, field));
}

/** `fallback` for a value that is null or absent. */
export function optional<Value>(parse: Parse<Value>, fallback: Value): Parse<Value> {
  return (value, field) => orNull(value, (present) => parse(present, field)) ?? fallback;
}

export function listOf<Item>(parse: Parse<Item>): Parse<readonly Item[]> {
  return (value, field) => arrayAt(value, field).map((item) => parse(item, field));
}

export function oneOf<const Literal extends string>(...literals: readonly Literal[]): Parse<Literal> {
  return (value, field) => {
    const found = literals.find((literal) => literal === value);
    if (found === undefined) throw unexpected(field, `one of ${literals.join(', ')}`, value);
    return found;
  };
}

/** The `data` of a list without pages. */
export function dataOf<Item>(parse: Parse<Item>): (reply: unknown) => readonly Item[] {
  return (reply) => listOf(parse)(objectAt(reply, 'a list').data, 'data');
}

export function unexpected(field: string, expected: string, got: unknown): UnexpectedReplyError {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 60);
  return new UnexpectedReplyError(
    `expected ${field} to be ${expected}, got ${shown}; is url the address of a gptj-cloud server?`,
  );
}
