import type { JsonValue } from './json-value.ts';
import { opcode } from './opcode.ts';
import { PickleError } from './pickle-error.ts';
import { encodeUtf8 } from './utf8.ts';

/** A list or dict whose children are still being written; `close` fills it from the stack. */
interface OpenContainer {
  readonly source: object;
  /** Null for a list. */
  readonly keys: readonly string[] | null;
  readonly children: readonly JsonValue[];
  next: number;
  readonly close: number;
}

/**
 * A pickle of protocol 2 without memo, readable by Python 2.3 and later: arrays become lists, objects dicts.
 * Numbers that are integers up to 2^53 become int (BININT, or LONG1 beyond 32 bits), all others, -0 among them, float.
 *
 * Throws `PickleError`: `not_finite` for NaN and infinities, `cycle` for a value that contains itself.
 */
export function writePickle(value: JsonValue): Uint8Array {
  const writer = createPickleWriter(value);
  while (!writer.write(Number.POSITIVE_INFINITY));
  return writer.finish();
}

/** The same in parts, between which the caller may let other work run. `pause` is awaited after some milliseconds of work. */
export async function writePickleInParts(value: JsonValue, pause: () => Promise<void>): Promise<Uint8Array> {
  const writer = createPickleWriter(value);
  while (!writer.write(PART)) await pause();
  return writer.finish();
}

/** Work of one part, in values. */
const PART = 10_000;
/** Characters of a text that count as one value. */
const CHARACTERS_PER_VALUE = 100;

interface PickleWriter {
  /** Write values until their work exceeds `maxWork`. True at the end. */
  write(maxWork: number): boolean;
  finish(): Uint8Array;
}

function createPickleWriter(value: JsonValue): PickleWriter {
  const sink = new ByteSink();
  const open: OpenContainer[] = [];
  const ancestors = new Set<object>();

  const writeValue = (child: JsonValue): void => {
    if (child === null || typeof child !== 'object') {
      writeScalar(sink, child);
      return;
    }
    if (ancestors.has(child)) {
      throw new PickleError('cycle', 'expected a value with an end, got a container that holds itself', null);
    }
    const isList = Array.isArray(child);
    const keys = isList ? null : Object.keys(child);
    const children: readonly JsonValue[] = isList ? child : Object.values(child);
    sink.byte(isList ? opcode.emptyList : opcode.emptyDict);
    if (children.length === 0) return;
    sink.byte(opcode.mark);
    ancestors.add(child);
    open.push({ source: child, keys, children, next: 0, close: isList ? opcode.appends : opcode.setItems });
  };

  sink.byte(opcode.proto);
  sink.byte(2);
  writeValue(value);
  return {
    write(maxWork) {
      let work = 0;
      for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
        if (work > maxWork) return false;
        if (top.next === top.children.length) {
          sink.byte(top.close);
          ancestors.delete(top.source);
          open.pop();
          continue;
        }
        const child = top.children[top.next] as JsonValue;
        if (top.keys !== null) writeScalar(sink, top.keys[top.next] as string);
        top.next++;
        writeValue(child);
        work += 1 + (typeof child === 'string' ? child.length / CHARACTERS_PER_VALUE : 0);
      }
      return true;
    },
    finish() {
      sink.byte(opcode.stop);
      return sink.finish();
    },
  };
}

function writeScalar(sink: ByteSink, value: null | boolean | number | string): void {
  if (value === null) sink.byte(opcode.none);
  else if (typeof value === 'boolean') sink.byte(value ? opcode.newTrue : opcode.newFalse);
  else if (typeof value === 'number') writeNumber(sink, value);
  else {
    const bytes = encodeUtf8(value);
    sink.byte(opcode.binUnicode);
    sink.number(4, (view) => view.setUint32(0, bytes.length, true));
    sink.bytes(bytes);
  }
}

function writeNumber(sink: ByteSink, value: number): void {
  if (!Number.isFinite(value)) {
    throw new PickleError('not_finite', `expected finite numbers, got ${value}`, null);
  }
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    sink.byte(opcode.binFloat);
    sink.number(8, (view) => view.setFloat64(0, value, false));
  } else if (value === (value | 0)) {
    sink.byte(opcode.binInt);
    sink.number(4, (view) => view.setInt32(0, value, true));
  } else {
    const integer = BigInt(value);
    let length = 5;
    while (BigInt.asIntN(8 * length, integer) !== integer) length += 1;
    sink.byte(opcode.long1);
    sink.byte(length);
    sink.number(length, (view) => {
      for (let at = 0; at < length; at += 1) view.setUint8(at, Number((integer >> BigInt(8 * at)) & 255n));
    });
  }
}

/** Bytes that grow; doubling keeps the total copying linear. */
class ByteSink {
  #buffer = new Uint8Array(256);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#buffer.set(values, this.#length);
    this.#length += values.length;
  }

  number(size: number, set: (view: DataView) => void): void {
    this.#reserve(size);
    set(new DataView(this.#buffer.buffer, this.#length, size));
    this.#length += size;
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + size));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
