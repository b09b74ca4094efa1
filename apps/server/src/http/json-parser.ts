import type { PickleValue } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';

const MAX_DEPTH = 200;
const MAX_DIGITS = 1000;
/** Maximum number of values in one document: each uses far more time and memory than its text. */
const MAX_VALUES = 200_000;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * JSON as Python reads it: 64 is an int (bigint), 64.0 a float (number), an object a Map whose keys reach no
 * prototype. Stricter than `JSON.parse` where two parsers may differ: a repeated key is refused, and so
 * is a number beyond a double. Lone surrogates in escapes are kept.
 *
 * Throws `invalid_json` with the position, also for nesting deeper than 200 and for more than 200,000 values.
 */
export function parseJson(bytes: Uint8Array): PickleValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError('invalid_json', { reason: 'expected UTF-8' }, { cause });
  }
  const reader = new JsonReader(text);
  return reader.document();
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PickleValue {
    const value = this.#value(0);
    this.#skipBlank();
    if (this.#at < this.#text.length) this.#fail('expected the end');
    return value;
  }

  #value(depth: number): PickleValue {
    if (depth > MAX_DEPTH) this.#fail(`expected at most ${MAX_DEPTH} levels`);
    if (++this.#values > MAX_VALUES) this.#fail(`expected at most ${MAX_VALUES} values`);
    this.#skipBlank();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Map<string, PickleValue> {
    const object = new Map<string, PickleValue>();
    this.#at++;
    if (this.#take('}')) return object;
    do {
      this.#skipBlank();
      if (this.#text[this.#at] !== '"') this.#fail('expected a key in double quotes');
      const keyAt = this.#at;
      const key = this.#string();
      if (object.has(key)) this.#fail(`key ${JSON.stringify(key.slice(0, 40))} occurs twice`, keyAt);
      if (!this.#take(':')) this.#fail('expected ":"');
      object.set(key, this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail('expected "," or "}"');
    return object;
  }

  #array(depth: number): PickleValue[] {
    const array: PickleValue[] = [];
    this.#at++;
    if (this.#take(']')) return array;
    do {
      array.push(this.#value(depth + 1));
    } while (this.#take(','));
    if (!this.#take(']')) this.#fail('expected "," or "]"');
    return array;
  }

  #string(): string {
    let result = '';
    this.#at++;
    for (;;) {
      const from = this.#at;
      let code = this.#text.charCodeAt(this.#at);
      while (code >= 0x20 && code !== QUOTE && code !== BACKSLASH) code = this.#text.charCodeAt(++this.#at);
      result += this.#text.slice(from, this.#at);
      if (code === QUOTE) {
        this.#at++;
        return result;
      }
      if (code !== BACKSLASH) {
        this.#fail(Number.isNaN(code) ? 'a string has no end' : 'expected control characters escaped');
      }
      result += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('expected four hex digits after \\u');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (character === undefined) this.#fail('unknown escape');
    this.#at += 2;
    return character;
  }

  #number(): bigint | number {
    const from = this.#at;
    NUMBER.lastIndex = from;
    const match = NUMBER.exec(this.#text);
    if (match === null) this.#fail('expected a value');
    this.#at = NUMBER.lastIndex;
    const [digits, fraction, exponent] = match;
    if (fraction === undefined && exponent === undefined) {
      if (digits.length > MAX_DIGITS) this.#fail(`expected at most ${MAX_DIGITS} digits`, from);
      return BigInt(digits);
    }
    const number = Number(digits);
    if (!Number.isFinite(number)) this.#fail('number too large', from);
    return number;
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('expected a value');
    this.#at += word.length;
    return value;
  }

  #take(character: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipBlank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #fail(reason: string, at: number = this.#at): never {
    throw new ApiError('invalid_json', { reason: `${reason} (at character ${at})` });
  }
}
