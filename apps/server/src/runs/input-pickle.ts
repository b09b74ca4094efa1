import { PickleError, PickleTuple, type PickleValue } from '@gptj-cloud/pickle';

/**
 * A pickle (protocol 2, no memo) that reads back as the same value: 64 stays an int and 64.0 a float, tuples stay tuples.
 * A run that is executed again after a crash gets the same input.
 *
 * The value is a tree of bounded depth, as the parsers of requests return it. Throws `PickleError` (`no_json_form`) for
 * objects and for ints beyond 255 bytes.
 */
export function pickleInput(value: PickleValue): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x80, 2)];
  write(value, parts);
  parts.push(Uint8Array.of(0x2e));
  return Buffer.concat(parts);
}

function write(value: PickleValue, parts: Uint8Array[]): void {
  if (value === null) parts.push(Uint8Array.of(0x4e));
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(value ? 0x88 : 0x89));
  else if (typeof value === 'bigint') parts.push(intBytes(value));
  else if (typeof value === 'number') parts.push(floatBytes(value));
  else if (typeof value === 'string') parts.push(textBytes(value));
  else if (Array.isArray(value)) {
    parts.push(Uint8Array.of(0x5d, 0x28));
    for (const item of value) write(item, parts);
    parts.push(Uint8Array.of(0x65));
  } else if (value instanceof Map) {
    parts.push(Uint8Array.of(0x7d, 0x28));
    for (const [key, item] of value) {
      write(key, parts);
      write(item, parts);
    }
    parts.push(Uint8Array.of(0x75));
  } else if (value instanceof PickleTuple) {
    parts.push(Uint8Array.of(0x28));
    for (const item of value.items) write(item, parts);
    parts.push(Uint8Array.of(0x74));
  } else {
    throw new PickleError('no_json_form', 'expected plain data, got an object', null);
  }
}

/** BININT, or LONG1 beyond 32 bits. */
function intBytes(value: bigint): Uint8Array {
  if (BigInt.asIntN(32, value) === value) {
    const bytes = Buffer.alloc(5, 0x4a);
    bytes.writeInt32LE(Number(value), 1);
    return bytes;
  }
  let length = 5;
  while (length < 256 && BigInt.asIntN(8 * length, value) !== value) length++;
  if (length > 255) throw new PickleError('no_json_form', 'expected an int below 2^2039, got a larger one', null);
  const bytes = Buffer.alloc(2 + length);
  bytes.set([0x8a, length]);
  for (let at = 0, rest = value; at < length; at++, rest >>= 8n) bytes[2 + at] = Number(rest & 255n);
  return bytes;
}

function floatBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(9, 0x47);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** UTF-8 that keeps lone surrogates, as Python's error handler `surrogatepass` does. */
function textBytes(text: string): Uint8Array {
  const utf8 = /\p{Surrogate}/u.test(text)
    ? Buffer.concat(Array.from(text, characterBytes))
    : Buffer.from(text, 'utf8');
  const head = Buffer.alloc(5, 0x58);
  head.writeUInt32LE(utf8.length, 1);
  return Buffer.concat([head, utf8]);
}

function characterBytes(character: string): Uint8Array {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0xd800 || code > 0xdfff) return Buffer.from(character, 'utf8');
  return Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
}
