// pickle-vectors.json: {"accept": [{name, hex, json}], "reject": {name: hex}}. The hexadecimal text is processed like
// an upload: decoded, read as plain data and converted to JSON. The result must equal `json`; a rejected one must throw a
// PickleError.
import {
  decodeHex,
  type JsonValue,
  PickleError,
  PickleTuple,
  type PickleValue,
  readPickle,
  toJson,
} from '@gptj-cloud/pickle';
import type { GoldenResult } from './golden-runner.ts';

/** Accepted cases: values and, where the file writes a number with a point, its type. Rejected ones: a typed error. */
export function* runPickleVectors(text: string): Generator<GoldenResult> {
  const vectors: unknown = JSON.parse(markNumbers(text));
  if (!isRecord(vectors) || !Array.isArray(vectors.accept) || !isRecord(vectors.reject)) {
    throw new Error('expected {"accept": [{name, hex, json}], "reject": {name: hex}}');
  }
  for (const vector of vectors.accept) {
    if (!isRecord(vector) || typeof vector.name !== 'string' || typeof vector.hex !== 'string' || !('json' in vector)) {
      throw new Error(`expected {name, hex, json}, got ${JSON.stringify(vector)}`);
    }
    yield runAccepted(vector.name, vector.hex, vector.json);
  }
  for (const [name, hex] of Object.entries(vectors.reject)) {
    if (typeof hex !== 'string') throw new Error(`expected hexadecimal text for ${name}, got ${JSON.stringify(hex)}`);
    yield runRejected(name, hex);
  }
}

function runAccepted(name: string, hex: string, json: unknown): GoldenResult {
  const expected = JSON.stringify(json).replaceAll(/\{"\$number":"([^"]*)"\}/g, '$1');
  try {
    const value = readPickle(decodeHex(hex));
    const converted = toJson(value);
    if (isSame(value, converted, json)) return { name, passed: true };
    return { name, passed: false, expected, got: JSON.stringify(converted) };
  } catch (error) {
    return { name, passed: false, expected, got: String(error) };
  }
}

function runRejected(name: string, hex: string): GoldenResult {
  const expected = 'a PickleError';
  try {
    return { name, passed: false, expected, got: JSON.stringify(toJson(readPickle(decodeHex(hex)))) };
  } catch (error) {
    if (error instanceof PickleError) return { name, passed: true };
    return { name, passed: false, expected, got: String(error) };
  }
}

// JSON.parse makes one number of 5 and 5.0. Each number of the text becomes {"$number": "5.0"} before parsing.
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function markNumbers(text: string): string {
  return text.replaceAll(STRING_OR_NUMBER, (part) => (part.startsWith('"') ? part : `{"$number":"${part}"}`));
}

/** Whether the value and its JSON form equal those of the file. */
function isSame(value: PickleValue, converted: JsonValue | undefined, expected: unknown): boolean {
  if (isRecord(expected) && typeof expected.$number === 'string') return isNumber(value, converted, expected.$number);
  if (Array.isArray(expected)) {
    const items = value instanceof PickleTuple ? value.items : value;
    return (
      Array.isArray(items) &&
      Array.isArray(converted) &&
      items.length === expected.length &&
      converted.length === expected.length &&
      expected.every((item, at) => isSame(items[at] ?? null, converted[at], item))
    );
  }
  if (isRecord(expected)) {
    const keys = Object.keys(expected);
    return (
      value instanceof Map &&
      isRecord(converted) &&
      value.size === keys.length &&
      Object.keys(converted).length === keys.length &&
      keys.every(
        (key) =>
          Object.hasOwn(converted, key) && isSame(value.get(key) ?? null, converted[key] as JsonValue, expected[key]),
      )
    );
  }
  return value === expected && converted === expected;
}

/** A point in the file means a Python float; without one the file may come from a writer that drops `.0`. */
function isNumber(value: PickleValue, converted: JsonValue | undefined, lexeme: string): boolean {
  const number = Number(lexeme);
  if (lexeme.includes('.')) return Object.is(value, number) && Object.is(converted, number);
  if (typeof value === 'bigint' && /^-?\d+$/.test(lexeme) && value !== BigInt(lexeme)) return false;
  return (typeof value === 'bigint' || typeof value === 'number') && converted === number;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
