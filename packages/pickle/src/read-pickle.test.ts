import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHex, PickleError, type PickleErrorCode, type PickleLimits, PickleTuple, readPickle } from './index.ts';

/** Bytes of a pickle: hexadecimal, blanks between opcodes for the eye. */
function pickle(...parts: readonly string[]): Uint8Array {
  return decodeHex(parts.join('').replaceAll(' ', ''));
}

function refuses(
  bytes: Uint8Array,
  code: PickleErrorCode,
  offset: number | null,
  limits?: Partial<PickleLimits>,
): Error {
  let thrown: unknown;
  try {
    readPickle(bytes, limits);
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof PickleError, `expected a PickleError, got ${String(thrown)}`);
  assert.deepEqual({ code: thrown.code, offset: thrown.offset }, { code, offset });
  return thrown;
}

test('ints are bigint and floats are number, so that 64 and 64.0 are distinct', () => {
  assert.deepEqual(readPickle(pickle('8002 5d 28 4b40 47 4050000000000000 65 2e')), [64n, 64]);
});

test('long integers are two’s complement at any length, and no bytes are zero', () => {
  assert.equal(readPickle(pickle('8002 8a00 2e')), 0n);
  assert.equal(readPickle(pickle('8002 8a01ff 2e')), -1n);
  assert.equal(readPickle(pickle('8002 8a08 0100000000002000 2e')), 2n ** 53n + 1n);
  assert.equal(readPickle(pickle('8002 8a02 ff00 2e')), 255n);
  assert.equal(readPickle(pickle('8002 8b02000000 0080 2e')), -32768n);
});

test('NaN and the infinities are floats', () => {
  assert.deepEqual(readPickle(pickle('8002 5d 28 47 7ff8000000000000 47 7ff0000000000000 47 fff0000000000000 65 2e')), [
    Number.NaN,
    Infinity,
    -Infinity,
  ]);
});

test('reads a tuple as PickleTuple, not as an array', () => {
  assert.deepEqual(readPickle(pickle('8002 4b01 4b02 86 2e')), new PickleTuple([1n, 2n]));
  assert.deepEqual(readPickle(pickle('8002 29 2e')), new PickleTuple([]));
});

test('a dict keeps its order, the last of equal keys, and __proto__ as a plain key', () => {
  const proto = '8c09 5f5f70726f746f5f5f';
  const value = readPickle(pickle('8004 7d 28 8c0162 4b01', proto, '4b02 8c0162 4b03 75 2e'));
  assert.ok(value instanceof Map);
  assert.deepEqual(
    [...value],
    [
      ['b', 3n],
      ['__proto__', 2n],
    ],
  );
});

test('lone surrogates pass through among ordinary characters', () => {
  assert.equal(readPickle(pickle('8004 8c08 eda080 c3a9 edbfbf 2e')), '\ud800é\udfff');
});

test('keeps a byte order mark in a string', () => {
  assert.equal(readPickle(pickle('8004 8c04 efbbbf 61 2e')), '\ufeffa');
});

test('refuses strings that are not UTF-8', () => {
  for (const text of ['8c01ff', '8c02c328', '8c02eda0', '8c02c080', '8c04f4908080', '8c05eda080ff61']) {
    refuses(pickle('8004', text, '2e'), 'invalid_utf8', 2);
  }
});

test('refuses opcodes that create objects, and the message names the class and the remedy', () => {
  const datetime = pickle('8004 8c08 6461746574696d65 8c08 6461746574696d65 93 29 52 2e');
  const error = refuses(datetime, 'forbidden_global', 22);
  assert.match(error.message, /"datetime\.datetime".*convert numpy values.*plain str/);
  for (const opcode of ['69', '6f', '92', '8200', '97', '98', '5061']) {
    assert.match(refuses(pickle('8004', opcode, '2e'), 'forbidden_opcode', 2).message, /0x/);
  }
  refuses(pickle('8004 5d 29 52 2e'), 'wrong_operand', 4);
  refuses(pickle('8004 5d 29 81 2e'), 'wrong_operand', 4);
  refuses(pickle('8004 5d 5d 62 2e'), 'forbidden_call', 4);
  refuses(pickle('8004 4b01 51 2e'), 'forbidden_call', 4);
});

test('quotes and truncates a long or unprintable class name in the message', () => {
  const error = refuses(pickle('8004 63', '61'.repeat(5000), '0a 1b5b 0a 2e'), 'forbidden_global', 2);
  assert.ok(error.message.length < 400);
  const strange = refuses(pickle('8004 63 61 0a 1b5b 0a 2e'), 'forbidden_global', 2);
  assert.ok(!strange.message.includes('\u001b'));
});

test('refuses bytes and sets with no_json_form', () => {
  for (const opcode of ['4300', '4200000000', '8e0000000000000000', '960000000000000000', '8f', '91']) {
    refuses(pickle('8005', opcode, '2e'), 'no_json_form', 2);
  }
});

test('text opcodes, protocol 6 and unknown bytes are refused', () => {
  refuses(pickle('49310a 2e'), 'forbidden_opcode', 0);
  refuses(pickle('8006 4e 2e'), 'unsupported_protocol', 0);
  refuses(pickle('8004 ff 2e'), 'unknown_opcode', 2);
  refuses(pickle('8004 4e 30 4e 2e'), 'forbidden_opcode', 3);
});

test('keys that are not strings are refused', () => {
  for (const key of ['4b01', '4e', '88', '47 0000000000000000', '29', '5d']) {
    const bytes = pickle('8002 7d', key, '4e 73 2e');
    refuses(bytes, 'key_not_string', bytes.length - 2);
  }
});

test('refuses a pickle with no value, several values or trailing bytes', () => {
  refuses(pickle('8004 2e'), 'not_one_value', 2);
  refuses(pickle('8004 4e 4e 2e'), 'not_one_value', 4);
  refuses(pickle('8004 28 4e 2e'), 'not_one_value', 4);
  refuses(pickle('8004 4e 28 2e'), 'not_one_value', 4);
  refuses(pickle('8004 4e 2e 2e'), 'trailing_bytes', 3);
  refuses(new Uint8Array(0), 'empty_input', null);
});

test('refuses opcodes that pop below a mark or from an empty stack', () => {
  refuses(pickle('8004 61 2e'), 'stack_underflow', 2);
  refuses(pickle('8004 5d 28 4e 61 2e'), 'stack_underflow', 5);
  refuses(pickle('8004 5d 28 94 2e'), 'stack_underflow', 4);
  refuses(pickle('8004 4e 86 2e'), 'stack_underflow', 3);
  refuses(pickle('8004 4e 28 85 74 2e'), 'stack_underflow', 4);
  refuses(pickle('8004 5d 4e 65 2e'), 'mark_missing', 4);
  refuses(pickle('8004 5d 73 2e'), 'stack_underflow', 3);
});

test('appends only to lists and sets items only on dicts, in pairs', () => {
  refuses(pickle('8004 29 4e 61 2e'), 'wrong_operand', 4);
  refuses(pickle('8004 5d 28 8c0161 4e 75 2e'), 'wrong_operand', 8);
  refuses(pickle('8004 7d 28 8c0161 75 2e'), 'odd_items', 7);
});

test('refuses lengths beyond the input before allocating', () => {
  for (const head of [
    '58 ffffffff',
    '8d ffffffffffffffff',
    '8c ff',
    '8b ffffff7f',
    '8a ff',
    '95 0300000000000000',
    '47 00',
  ]) {
    refuses(pickle('8004', head, '2e'), 'truncated', 2);
  }
  refuses(pickle('8b ffffffff 2e'), 'negative_length', 0);
  refuses(pickle('8004 5d'), 'truncated', 3);
});

test('memo entries are found by number, counted by MEMOIZE, and refused when missing', () => {
  assert.deepEqual(readPickle(pickle('8004 5d 28 8c0161 7105 8c0162 94 6801 6805 65 2e')), ['a', 'b', 'b', 'a']);
  assert.deepEqual(readPickle(pickle('8002 5d 28 4b01 7200000100 6a00000100 65 2e')), [1n, 1n]);
  refuses(pickle('8004 6800 2e'), 'memo_miss', 2);
  refuses(pickle('8002 6affffffff 2e'), 'memo_miss', 2);
});

test('refuses a list that contains itself, also through a dict and a tuple', () => {
  refuses(pickle('8004 5d 94 6800 61 2e'), 'cycle', 7);
  refuses(pickle('8004 5d 94 7d 8c0161 6800 85 73 61 2e'), 'cycle', 13);
});

test('counts nested aliases once per reference without expanding them', () => {
  // 100 lists, each holding the one before ten times: 10^100 leaves in some 2,700 bytes.
  const level = (index: number): string => `5d 94 28 ${`68${(index - 1).toString(16).padStart(2, '0')}`.repeat(10)} 65`;
  const bombs = Array.from({ length: 100 }, (_, index) => level(index + 1));
  const bytes = pickle('8004 5d 28 5d 94', ...bombs, '65 2e');
  refuses(bytes, 'limit_nodes', bytes.length - 1);
  assert.ok(readPickle(bytes, { nodes: Infinity }), 'counting takes time for the bytes, not for the leaves');
  const doubling = pickle('8004 4e', '94 6800 86', '2e');
  assert.deepEqual(readPickle(doubling), new PickleTuple([null, null]));
});

test('counts an aliased string once per reference', () => {
  const text = '61'.repeat(200);
  const bytes = pickle('8004 5d 28 8cc8', text, '94', '6800'.repeat(9), '65 2e');
  refuses(bytes, 'limit_text', bytes.length - 1, { text: 1999 });
  assert.ok(readPickle(bytes, { text: 2000 }));
});

test('counts the full depth of an alias inside another alias', () => {
  const bytes = pickle('8004 5d 94 85 85 85 94 5d 94 6801 61 85 85 86 2e');
  refuses(bytes, 'limit_depth', bytes.length - 1, { depth: 7 });
  assert.ok(readPickle(bytes, { depth: 8 }));
});

test('each limit accepts its bound and refuses one more', () => {
  const cases: readonly [keyof PickleLimits, PickleErrorCode, Uint8Array, number, number | null][] = [
    ['inputBytes', 'limit_input', pickle('8004 4e 2e'), 4, null],
    ['stack', 'limit_stack', pickle('8004 28 4e 4e 4e 74 2e'), 4, 5],
    ['memo', 'limit_memo', pickle('8004 4e 94 94 94 2e'), 3, 5],
    ['containers', 'limit_containers', pickle('8004 5d 5d 7d 87 2e'), 4, 5],
    ['depth', 'limit_depth', pickle('8004 5d 85 85 2e'), 3, 5],
    ['nodes', 'limit_nodes', pickle('8004 7d 8c0161 4e 73 85 2e'), 4, 9],
    ['integerBytes', 'limit_integer', pickle('8004 8a03 000001 2e'), 3, 2],
  ];
  for (const [name, code, bytes, bound, offset] of cases) {
    readPickle(bytes, { [name]: bound });
    refuses(bytes, code, offset, { [name]: bound - 1 });
  }
});

test('a hundred thousand lists within each other are refused, not a stack overflow', () => {
  const depth = 100_000;
  const bytes = pickle('8004', '5d'.repeat(depth), '61'.repeat(depth - 1), '2e');
  refuses(bytes, 'limit_depth', bytes.length - 1);
});
