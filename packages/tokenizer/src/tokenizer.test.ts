import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { spellByte } from './byte-level.ts';
import { createDetokeniser, createTokenizer, plainAddedToken, type TokenizerData, TokenizerError } from './index.ts';
import { parseTokenizerJson } from './tokenizer-json.ts';

const fixtures = new URL('../fixtures/', import.meta.url);
type EncodeGolden = readonly [text: string, ids: readonly number[]];
/** fixtures/make_added_token_goldens.py */
interface AddedTokenGolden {
  readonly added_tokens: readonly unknown[];
  readonly rows: readonly (readonly [
    text: string,
    splitSpecialTokens: boolean,
    ids: readonly number[],
    whole: string,
    skipped: string,
  ])[];
}
type DecodeGolden = readonly [ids: readonly number[], skipped: string, whole: string];

function golden<Row>(name: string): readonly Row[] {
  return JSON.parse(readFileSync(new URL(name, fixtures), 'utf8'));
}

/** GPT-J's whole vocabulary, from GPT-2's merges (fixtures/make_goldens.py asserts that it follows from them). */
function gptjVocabulary(): TokenizerData {
  const merges = gunzipSync(readFileSync(new URL('gpt2-merges.txt.gz', fixtures)))
    .toString('utf8')
    .trimEnd()
    .split('\n');
  const bytes = Array.from({ length: 256 }, (_, byte) => spellByte(byte));
  const printing = bytes.filter((character) => character.charCodeAt(0) < 0x100);
  const moved = bytes.filter((character) => character.charCodeAt(0) >= 0x100);
  const extra = Array.from({ length: 143 }, (_, i) => `<|extratoken_${i + 1}|>`);
  return {
    tokens: [...printing, ...moved, ...merges.map((merge) => merge.replace(' ', '')), '<|endoftext|>', ...extra],
    merges,
    addedTokens: ['<|endoftext|>', ...extra].map((text, i) => plainAddedToken(50256 + i, text, i === 0)),
    unused: [],
  };
}

const tokenizer = createTokenizer(gptjVocabulary());

/** Small seeded generator (mulberry32): the same texts in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function randomText(below: (n: number) => number): string {
  const pools = [
    'abc XYZ  ',
    "'s'll \t\n\r",
    '012٣½',
    'é世界😀א\u0301',
    '\u0085\u00a0\ufeff\u3000\u001c\u0000',
    '!?-_',
  ];
  let text = '';
  for (let i = below(60); i > 0; i--) {
    const pool = [...pools[below(pools.length)]!];
    const any = below(0x110000 - 0x800);
    text += below(8) === 0 ? String.fromCodePoint(any < 0xd800 ? any : any + 0x800) : pool[below(pool.length)];
  }
  return text;
}

test('encodes every golden text to the ids of the tokenizers library', () => {
  for (const [text, ids] of golden<EncodeGolden>('encode-goldens.json')) {
    assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
  }
});

test('decodes every golden row, at once and as a stream, to the text of the tokenizers library', () => {
  for (const [ids, skipped, whole] of golden<DecodeGolden>('decode-goldens.json')) {
    for (const [skipSpecial, text] of [
      [true, skipped],
      [false, whole],
    ] as const) {
      assert.equal(tokenizer.decode(ids, { skipSpecial }), text, JSON.stringify(ids));
      const stream = createDetokeniser(tokenizer, { skipSpecial });
      const parts = ids.map((id) => stream.push(id));
      assert.equal(parts.join('') + stream.end(), text, JSON.stringify(ids));
    }
  }
});

test('decoding the encoded ids gives the text again, at once and as a stream of whole characters', () => {
  const below = seeded(1);
  const stream = createDetokeniser(tokenizer);
  for (let round = 0; round < 2000; round++) {
    const text = randomText(below);
    const ids = tokenizer.encode(text);
    assert.equal(tokenizer.decode(ids), text);
    const parts = ids.map((id) => stream.push(id));
    assert.equal(stream.end(), '');
    assert.equal(parts.join(''), text);
    for (const part of parts)
      assert.equal(new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(part)), part);
  }
});

test('the joined output of a stream equals decoding all ids at once, for any ids', () => {
  const below = seeded(2);
  for (let round = 0; round < 3000; round++) {
    const ids = Array.from({ length: below(12) }, () => (below(3) > 0 ? below(256) : below(50400)));
    const stream = createDetokeniser(tokenizer);
    const joined = ids.map((id) => stream.push(id)).join('') + stream.end();
    assert.equal(joined, tokenizer.decode(ids), JSON.stringify(ids));
  }
});

test('a character of several tokens is output with its last token, and end() returns U+FFFD for a cut one', () => {
  const ids = tokenizer.encode('𠮷');
  assert.ok(ids.length > 1);
  const stream = createDetokeniser(tokenizer);
  assert.deepEqual(
    ids.map((id) => stream.push(id)),
    [...ids.slice(1).map(() => ''), '𠮷'],
  );
  assert.equal(stream.end(), '');
  assert.equal(stream.push(ids[0]!), '');
  assert.equal(stream.end(), '\ufffd');
  assert.equal(stream.end(), '');
  assert.equal(stream.push(64), 'a');
});

test('splits and decodes added tokens of every kind as the tokenizers library does', () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => spellByte(byte));
  const merges = ['h e', 't he', 'Ġ the', 'a b', 'ab c', 'Ġ Ġ', 'Ċ Ċ'];
  const alphabet = [...bytes.filter((c) => c.charCodeAt(0) < 0x100), ...bytes.filter((c) => c.charCodeAt(0) >= 0x100)];
  const vocab = [...alphabet, ...merges.map((merge) => merge.replace(' ', ''))];
  for (const { added_tokens, rows } of golden<AddedTokenGolden>('added-token-goldens.json')) {
    const json = {
      model: { type: 'BPE', vocab: Object.fromEntries(vocab.map((token, id) => [token, id])), merges },
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
      added_tokens,
    };
    const tokenizer = createTokenizer(parseTokenizerJson(json));
    for (const [text, splitSpecialTokens, ids, whole, skipped] of rows) {
      const name = JSON.stringify([text, splitSpecialTokens]);
      assert.deepEqual(tokenizer.encode(text, { splitSpecialTokens }), ids, name);
      assert.deepEqual(tokenizer.encode(text, { splitSpecialTokens, limit: ids.length }), ids, name);
      assert.equal(tokenizer.decode(ids, { skipSpecial: false }), whole, name);
      assert.equal(tokenizer.decode(ids), skipped, name);
    }
  }
});

test('added tokens in a text become their ids, special tokens only without splitSpecialTokens', () => {
  const text = 'a <|endoftext|>b<|extratoken_143|>';
  assert.deepEqual(tokenizer.encode(text), [64, 220, 50256, 65, 50399]);
  const literal = tokenizer.encode(text, { splitSpecialTokens: true });
  assert.deepEqual(literal, [64, 1279, 91, 437, 1659, 5239, 91, 29, 65, 50399]);
  assert.equal(tokenizer.decode(literal), text);
});

test('decoding skips special tokens by default but not other added tokens', () => {
  assert.equal(tokenizer.decode([64, 50256, 65]), 'ab');
  assert.equal(tokenizer.decode([64, 50256, 65], { skipSpecial: false }), 'a<|endoftext|>b');
  assert.equal(tokenizer.decode([64, 50257, 50399]), 'a<|extratoken_1|><|extratoken_143|>');
  assert.deepEqual(
    [50255, 50256, 50257].map((id) => tokenizer.isSpecial(id)),
    [false, true, false],
  );
});

test('matches added tokens in linear time in a text of many prefixes of added tokens', () => {
  let reads = 0;
  const text = new Proxy(Object('<|extratoken_1'.repeat(5000)), {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        if (key === 'charCodeAt' || key === 'codePointAt') reads++;
        return Reflect.apply(value, target, args);
      };
    },
  });
  tokenizer.encode(text);
  assert.ok(reads < 10 * text.length, `${reads} reads of ${text.length} units`);
});

test('longestTokenBytes is Infinity when an added token includes surrounding white space', () => {
  const data = gptjVocabulary();
  const addedTokens = data.addedTokens.map((token) => ({ ...token, rstrip: true }));
  const greedy = createTokenizer({ ...data, addedTokens });
  assert.equal(greedy.longestTokenBytes, Number.POSITIVE_INFINITY);
  assert.deepEqual(greedy.encode(`<|endoftext|>${' '.repeat(5000)}`, { limit: 1 }), [50256]);
});

test('a lone surrogate counts as U+FFFD', () => {
  for (const [text, meant] of [
    ['a\ud800b', 'a\ufffdb'],
    ['\udc00', '\ufffd'],
    [' \ud83d \ude00', ' \ufffd \ufffd'],
  ] as const) {
    assert.deepEqual(tokenizer.encode(text), tokenizer.encode(meant));
  }
});

test('the bytes of the tokens, joined, are the text in UTF-8, and none is longer than longestTokenBytes', () => {
  const text = 'naïve 世界 😀\n\n';
  const bytes = tokenizer.encode(text).flatMap((id) => [...tokenizer.tokenBytes(id)]);
  assert.deepEqual(bytes, [...new TextEncoder().encode(text)]);
  const lengths = Array.from({ length: 50256 }, (_, id) => tokenizer.tokenBytes(id).length);
  assert.equal(Math.max(...lengths), tokenizer.longestTokenBytes);
  assert.equal(tokenizer.vocabSize, 50400);
});

test('an id outside the vocabulary is refused and leaves the stream unchanged', () => {
  const stream = createDetokeniser(tokenizer);
  const [first, ...rest] = tokenizer.encode('𠮷');
  stream.push(first!);
  for (const id of [-1, 50400, 1.5, Number.NaN]) {
    const unknown = { name: 'TokenizerError', code: 'unknown_token' };
    assert.throws(() => tokenizer.decode([64, id]), unknown);
    assert.throws(() => tokenizer.tokenBytes(id), unknown);
    assert.throws(() => tokenizer.isSpecial(id), unknown);
    assert.throws(() => stream.push(id), unknown);
  }
  assert.equal(rest.map((id) => stream.push(id)).join(''), '𠮷');
});

test('accepts a text of exactly the limit and refuses one token more', () => {
  const below = seeded(3);
  for (let round = 0; round < 200; round++) {
    const text = randomText(below);
    const ids = tokenizer.encode(text);
    assert.deepEqual(tokenizer.encode(text, { limit: ids.length }), ids);
    if (ids.length > 0) {
      assert.throws(() => tokenizer.encode(text, { limit: ids.length - 1 }), { code: 'too_many_tokens' });
    }
  }
});

test('a limit of NaN refuses every text', () => {
  assert.throws(() => tokenizer.encode('a', { limit: Number.NaN }), { code: 'too_many_tokens' });
});

test('the limit stops before the rest of the text is read', () => {
  // Reading the text costs time in proportion; a text that counts how far it was read shows it without a clock.
  let furthest = 0;
  const text = new Proxy(Object('word '.repeat(1000)), {
    get(target, key) {
      if (key === 'codePointAt') {
        return (at: number) => {
          furthest = Math.max(furthest, at);
          return target.codePointAt(at);
        };
      }
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  assert.throws(() => tokenizer.encode(text, { limit: 50 }), { code: 'too_many_tokens' });
  assert.ok(furthest < 5000 / 2, `read up to ${furthest}`);
  furthest = 0;
  assert.throws(
    () => tokenizer.encode(text, { limit: 20 }),
    (error) => error instanceof TokenizerError,
  );
  assert.equal(furthest, 0, 'the length alone shows that 5000 bytes are more than 20 tokens of 128');
});

test('a prompt of 300,000 characters without a space is one piece and still encodes', () => {
  const below = seeded(4);
  const text = Array.from({ length: 300_000 }, () => String.fromCharCode(97 + below(26))).join('');
  assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
});

test('encodeEnd gives the last tokens of the whole text', () => {
  // tok(text).input_ids[-count:] of transformers 5.18.0.
  assert.deepEqual(tokenizer.encodeEnd('a'.repeat(3001), { count: 5 }), [24794, 24794, 24794, 24794, 64]);
  assert.deepEqual(tokenizer.encodeEnd('-'.repeat(2500), { count: 3 }), [10097, 10097, 650]);
  assert.deepEqual(tokenizer.encodeEnd('='.repeat(1999), { count: 3 }), [23926, 25609, 18604]);
  const random = seeded(5);
  for (let round = 0; round < 300; round++) {
    const text = `${randomText(random)}${['', '<|endoftext|>', '<|extratoken_1|>'][round % 3]}${randomText(random)}`;
    for (const splitSpecialTokens of [false, true]) {
      const ids = tokenizer.encode(text, { splitSpecialTokens });
      for (const count of [1, 2, 7, ids.length + 1]) {
        assert.deepEqual(tokenizer.encodeEnd(text, { count, splitSpecialTokens }), ids.slice(-count), text);
      }
    }
  }
  assert.deepEqual(tokenizer.encodeEnd('', { count: 3 }), []);
});

test('encodeEnd reads long texts by their pieces, and refuses a piece that is too long where it needs it', () => {
  const long = 'a'.repeat(65_537);
  const refused = (error: unknown) => error instanceof TokenizerError && error.code === 'piece_too_long';
  assert.throws(() => tokenizer.encodeEnd(long, { count: 3 }), refused);
  assert.throws(() => tokenizer.encodeEnd(`${long} b`, { count: 2 }), refused);
  assert.deepEqual(tokenizer.encodeEnd(`${long} b`, { count: 1 }), tokenizer.encode(' b'));
  assert.equal(tokenizer.encodeEnd('hello there '.repeat(100_000), { count: 2000 }).length, 2000);
});
