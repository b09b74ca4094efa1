// Parser of the generation goldens, which checks their structure.

/** The named list of a golden file's top object. Throws when the format is another. */
export function casesOf(text: string, format: string): readonly Fields[] {
  const file = toFields(JSON.parse(text), 'the file');
  if (file.text('format') !== format) throw new Error(`expected format ${format}, got ${file.text('format')}`);
  return file.list('cases').map((entry) => toFields(entry, 'a case'));
}

/** An object of a golden file with checked access. */
export interface Fields {
  readonly has: (name: string) => boolean;
  readonly raw: (name: string) => unknown;
  readonly text: (name: string) => string;
  readonly number: (name: string) => number;
  readonly list: (name: string) => readonly unknown[];
  readonly numbers: (name: string) => readonly number[];
  readonly object: (name: string) => Fields;
  /** The unparsed object. */
  readonly value: Readonly<Record<string, unknown>>;
}

/** Throws unless `value` is an object. */
export function toFields(value: unknown, what: string): Fields {
  if (!isRecord(value)) throw new Error(`expected ${what} to be an object, got ${JSON.stringify(value)}`);
  const expect = (name: string, type: string): never => {
    throw new Error(`expected ${what} to have ${name}: ${type}, got ${JSON.stringify(value[name])}`);
  };
  const list = (name: string) => {
    const found = value[name];
    return Array.isArray(found) ? (found as readonly unknown[]) : expect(name, 'list');
  };
  return {
    value,
    has: (name) => Object.hasOwn(value, name) && value[name] !== null,
    raw: (name) => value[name],
    text: (name) => (typeof value[name] === 'string' ? value[name] : expect(name, 'text')),
    number: (name) => (typeof value[name] === 'number' ? value[name] : expect(name, 'number')),
    list,
    numbers: (name) => list(name).map((item) => (typeof item === 'number' ? item : expect(name, 'list of numbers'))),
    object: (name) => toFields(value[name], `${what}.${name}`),
  };
}

/** Whether a number is right: |actual - expected| <= tolerance * max(1, |expected|), infinities exact. */
export function isClose(actual: number | undefined, expected: number, tolerance: number): boolean {
  if (actual === undefined || Number.isNaN(actual)) return false;
  if (!Number.isFinite(expected) || !Number.isFinite(actual)) return actual === expected;
  return Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
