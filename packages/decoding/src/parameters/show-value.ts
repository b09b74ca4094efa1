/** Maximum number of characters of a value in an error message. */
const MAX_SHOWN = 80;

/**
 * A JSON-like rendering of any value, short enough for an error message. Reads no more of the value than it shows, so
 * that refusing a large value costs no more than refusing a small one.
 */
export function showValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const parts: string[] = [];
  let length = 0;
  const write = (text: string): boolean => {
    parts.push(text);
    length += text.length;
    return length <= MAX_SHOWN;
  };
  const isWhole = writeValue(value, write);
  const text = parts.join('');
  return isWhole && text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 3)}...`;
}

type Write = (text: string) => boolean;

/** False as soon as there is no room left: every level of nesting writes a character, so the depth is bounded as well. */
function writeValue(value: unknown, write: Write): boolean {
  if (typeof value === 'string') return write(JSON.stringify(value.slice(0, MAX_SHOWN + 1)));
  if (typeof value !== 'object') return write(showScalar(value));
  if (value === null) return write('null');
  if (Array.isArray(value)) {
    if (!write('[')) return false;
    for (const [index, item] of value.entries()) {
      if (index > 0 && !write(',')) return false;
      if (!writeValue(item, write)) return false;
    }
    return write(']');
  }
  if (!write('{')) return false;
  let isFirst = true;
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    if (!write(`${isFirst ? '' : ','}${JSON.stringify(key.slice(0, MAX_SHOWN + 1))}:`)) return false;
    if (!writeValue((value as Readonly<Record<string, unknown>>)[key], write)) return false;
    isFirst = false;
  }
  return write('}');
}

function showScalar(value: unknown): string {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  return typeof value;
}
