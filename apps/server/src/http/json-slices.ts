/**
 * JSON in slices, so that writing a large reply does not occupy the server's thread: other requests are dealt with between
 * two slices.
 */

/** Characters of a slice, about; some tenths of a millisecond of work. */
export const MAX_SLICE_LENGTH = 65_536;
const SLICE = MAX_SLICE_LENGTH;
/** Characters that a number, a boolean or a separator counts as. */
const SCALAR = 8;

/** The length of the JSON of a value, about. */
export function jsonWeight(value: unknown): number {
  return weigh(value, Number.POSITIVE_INFINITY);
}

/** Whether the JSON of a value is longer than one slice, about. Looks at no more of the value than a slice holds. */
function isLarge(value: unknown): boolean {
  return weigh(value, SLICE) > SLICE;
}

/** The JSON of plain data, as `JSON.stringify` writes it. */
export function* jsonSlices(value: unknown): Generator<string> {
  let slice = '';
  for (const piece of pieces(value)) {
    slice += piece;
    if (slice.length < SLICE) continue;
    yield slice;
    slice = '';
  }
  if (slice !== '') yield slice;
}

/** Resolves after the work that waits for the thread. */
export function otherWork(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function* pieces(value: unknown): Generator<string> {
  if (typeof value === 'string' && value.length > SLICE) yield* longText(value);
  else if (typeof value !== 'object' || value === null || !isLarge(value)) yield JSON.stringify(value) ?? 'null';
  else if (Array.isArray(value)) yield* longArray(value);
  else yield* longObject(value);
}

function* longText(text: string): Generator<string> {
  yield '"';
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + SLICE);
    // Both halves of a character are escaped when they are apart.
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end++;
    yield JSON.stringify(text.slice(start, end)).slice(1, -1);
    start = end;
  }
  yield '"';
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** Runs of short entries together, and long entries by themselves. */
function* longArray(list: readonly unknown[]): Generator<string> {
  yield '[';
  let start = 0;
  let weight = 0;
  const run = (end: number): string => {
    if (start === end) return '';
    const separator = start === 0 ? '' : ',';
    return separator + JSON.stringify(list.slice(start, end)).slice(1, -1);
  };
  for (const [index, entry] of list.entries()) {
    const own = weigh(entry, SLICE);
    if (weight + own > SLICE) {
      yield run(index);
      start = index;
      weight = 0;
    }
    weight += own;
    if (own <= SLICE) continue;
    if (index > 0) yield ',';
    yield* pieces(entry);
    start = index + 1;
    weight = 0;
    // The entries after it begin with a separator, whatever came before.
  }
  yield run(list.length);
  yield ']';
}

function* longObject(object: object): Generator<string> {
  let separator = '{';
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    yield* pieces(value);
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}

/** About the length of the JSON, counted until it exceeds `limit`. */
function weigh(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return SCALAR;
  let weight = 2;
  if (Array.isArray(value)) {
    for (const entry of value) {
      weight += 1 + weigh(entry, limit - weight);
      if (weight > limit) break;
    }
    return weight;
  }
  for (const name in value) {
    weight += name.length + 4 + weigh((value as Readonly<Record<string, unknown>>)[name], limit - weight);
    if (weight > limit) break;
  }
  return weight;
}
