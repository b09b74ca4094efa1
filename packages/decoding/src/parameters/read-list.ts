/**
 * Readers of lists. Each takes its limits and checks them, by lengths alone, before it reads an entry: no list reaches a
 * record that is longer than the record allows.
 */
import type { TokenId } from '@gptj-cloud/model';
import { ParameterError } from '../parameter-error.ts';
import { refuse, toTokenId } from './read-value.ts';

export interface ListShape {
  /** Completes "expected …". */
  readonly what: string;
  /** Maximum number of entries. */
  readonly max: number;
}

/** The entries of an array, each read by `read`. */
export function toList<Entry>(
  name: string,
  value: unknown,
  shape: ListShape,
  read: (entry: unknown) => Entry,
): readonly Entry[] {
  return boundedList(name, value, shape).map((entry) => read(entry));
}

/** The same with at least one entry; `whenEmpty` completes "expected …" for an empty array. */
export function toFilledList<Entry>(
  name: string,
  value: unknown,
  shape: ListShape & { readonly whenEmpty: string },
  read: (entry: unknown) => Entry,
): readonly Entry[] {
  const list = boundedList(name, value, shape);
  if (list.length === 0) refuse(name, shape.whenEmpty, value);
  return list.map((entry) => read(entry));
}

/** A non-empty array of ids below `vocabSize`. */
export function toTokenIds(name: string, value: unknown, vocabSize: number, max: number): readonly TokenId[] {
  const shape = { what: 'an array of token ids', max, whenEmpty: 'at least one token id in every array' };
  return toFilledList(name, value, shape, (id) => toTokenId(name, id, vocabSize));
}

export interface WordListShape extends ListShape {
  /** Maximum number of ids over all entries. Texts, which stand for ids, count after they are encoded. */
  readonly maxIds: number;
}

/**
 * The entries of an array whose entries are arrays of ids, each read by `read`. The ids are counted before one is read.
 */
export function toWordList<Word>(
  name: string,
  value: unknown,
  { maxIds, ...shape }: WordListShape,
  read: (entry: unknown) => Word,
): readonly Word[] {
  const list = boundedList(name, value, shape);
  limitIds(
    name,
    list.reduce<number>((sum, entry) => sum + (Array.isArray(entry) ? entry.length : 0), 0),
    maxIds,
  );
  return list.map((entry) => read(entry));
}

/** Throws `limit_exceeded` when there are more than `max` ids. */
export function limitIds(name: string, total: number, max: number): void {
  if (total <= max) return;
  throw new ParameterError(
    'limit_exceeded',
    [name],
    `${name}: expected at most ${max} token ids in total, got ${total}`,
  );
}

function boundedList(name: string, value: unknown, { what, max }: ListShape): readonly unknown[] {
  if (!Array.isArray(value)) refuse(name, what, value);
  if (value.length > max) {
    throw new ParameterError('limit_exceeded', [name], `${name}: expected at most ${max} entries, got ${value.length}`);
  }
  return value;
}
