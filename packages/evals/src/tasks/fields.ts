/** Reads the fields of a document. Everything throws `data_invalid`, naming the field. */
import { EvaluationError } from '../evaluation-error.ts';

type Fields = Readonly<Record<string, unknown>>;

export function textField(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw invalidField(name, 'a string', value);
  return value;
}

export function textsField(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === 'string')) {
    throw invalidField(name, 'an array of strings', value);
  }
  return value;
}

export function indexField(fields: Fields, name: string, count: number): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= count) {
    throw invalidField(name, `an integer from 0 to ${count - 1}`, value);
  }
  return value;
}

/** The index of the field's text among `names`. */
export function namedIndexField(fields: Fields, name: string, names: readonly string[]): number {
  const index = names.indexOf(textField(fields, name));
  if (index < 0) throw invalidField(name, `one of ${names.join(', ')}`, fields[name]);
  return index;
}

export function invalidField(name: string, expected: string, got: unknown): EvaluationError {
  const shown = (JSON.stringify(got) ?? 'nothing').slice(0, 120);
  return new EvaluationError('data_invalid', `${name}: expected ${expected}, got ${shown}`);
}
