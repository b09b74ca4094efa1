import assert from 'node:assert/strict';
import test from 'node:test';
import { spellByte } from './byte-level.ts';
import { createTokenizer, plainAddedToken } from './index.ts';
import { parseTokenizerJson } from './tokenizer-json.ts';

const bytes = Array.from({ length: 256 }, (_, byte): [string, number] => [spellByte(byte), byte]);

/** A file with the tokens `he` 256 and `hey` 257, and `<|endoftext|>` 258; `changes` are laid over its parts. */
function file(changes: { model?: object; preTokenizer?: object; top?: object } = {}): unknown {
  return {
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true, ...changes.preTokenizer },
    added_tokens: [{ id: 258, content: '<|endoftext|>', special: true }],
    model: {
      type: 'BPE',
      vocab: Object.fromEntries([...bytes, ['he', 256], ['hey', 257], ['<|endoftext|>', 258]]),
      merges: ['h e', 'he y'],
      ...changes.model,
    },
    ...changes.top,
  };
}

const vocabOf = (entries: readonly (readonly [string, unknown])[]): object => ({
  vocab: Object.fromEntries([...bytes, ['he', 256], ['hey', 257], ['<|endoftext|>', 258], ...entries]),
});

/** Byte 0x41 has no token; its id belongs to `AA`. */
const vocabWithoutA = {
  vocab: Object.fromEntries([...bytes.map(([c, id]) => [c === 'A' ? 'AA' : c, id]), ['he', 256], ['hey', 257]]),
};

test('merges may be spelled as strings or as pairs', () => {
  for (const merges of [
    ['h e', 'he y'],
    [
      ['h', 'e'],
      ['he', 'y'],
    ],
  ]) {
    const tokenizer = createTokenizer(parseTokenizerJson(file({ model: { merges } })));
    assert.deepEqual(tokenizer.encode('heyhe'), [257, 256]);
    assert.equal(tokenizer.vocabSize, 259);
    assert.equal(tokenizer.longestTokenBytes, '<|endoftext|>'.length);
  }
});

test('pads the vocabulary to vocabSize with entries that decode to no text', () => {
  const tokenizer = createTokenizer(parseTokenizerJson(file(), { vocabSize: 300 }));
  assert.equal(tokenizer.vocabSize, 300);
  assert.equal(tokenizer.decode([257, 299, 256]), 'heyhe');
});

test('added tokens keep their flags, and their ids follow from the vocabulary and their order', () => {
  const added = [
    { id: 258, content: '<|endoftext|>', special: true },
    { id: 999, content: ' X', special: false, lstrip: true, single_word: true },
    { id: 1, content: '', special: false },
    { id: 260, content: 'hey', special: true, normalized: true },
    { id: 261, content: ' X', special: false, rstrip: true },
  ];
  const { tokens, addedTokens } = parseTokenizerJson(file({ top: { added_tokens: added } }));
  const plain = { lstrip: false, rstrip: false, singleWord: false };
  assert.deepEqual(addedTokens, [
    { ...plain, id: 257, content: 'hey', special: true, normalized: true },
    { ...plain, id: 258, content: '<|endoftext|>', special: true, normalized: false },
    { ...plain, id: 259, content: ' X', special: false, normalized: true, rstrip: true },
  ]);
  assert.equal(tokens[259], ' X');
  const tokenizer = createTokenizer(parseTokenizerJson(file({ top: { added_tokens: added } })));
  assert.deepEqual(tokenizer.encode('hehey X  <|endoftext|>'), [256, 257, 259, 258]);
  assert.equal(tokenizer.decode([256, 257, 259, 258]), 'he X');
});

test('tokens at or past vocabSize are dropped', () => {
  const added = [
    { id: 258, content: '<|endoftext|>', special: true },
    { id: 259, content: '[PAD]', special: true },
  ];
  const data = parseTokenizerJson(file({ top: { added_tokens: added } }), { vocabSize: 259 });
  assert.deepEqual([data.tokens.length, data.addedTokens.length], [259, 1]);
  assert.equal(createTokenizer(data).encode('[PAD]').length, 5);
});

test('a token outside the byte-level alphabet decodes to its own text', () => {
  const tokenizer = createTokenizer(parseTokenizerJson(file({ model: vocabOf([['f o', 259]]) })));
  assert.equal(tokenizer.decode([259]), 'f o');
  assert.deepEqual(tokenizer.encode('f o').length, 3);
});

test('of two equal merges the rank of the last one applies, and the list may be empty', () => {
  const encode = (merges: readonly string[]): readonly number[] => {
    const vocab = vocabOf([['ey', 259]]);
    return createTokenizer(parseTokenizerJson(file({ model: { ...vocab, merges } }))).encode('hey');
  };
  const y = 'y'.charCodeAt(0);
  const h = 'h'.charCodeAt(0);
  assert.deepEqual(encode(['h e', 'e y']), [256, y]);
  assert.deepEqual(encode(['h e', 'e y', 'h e']), [h, 259]);
  assert.deepEqual(encode([]).length, 3);
});

test('refuses other kinds of tokenizers and names the setting', () => {
  const cases: readonly (readonly [RegExp, unknown])[] = [
    [/model\.type.*"Unigram"/, file({ model: { type: 'Unigram' } })],
    [/byte_fallback/, file({ model: { byte_fallback: true } })],
    [/ignore_merges/, file({ model: { ignore_merges: true } })],
    [/continuing_subword_prefix/, file({ model: { continuing_subword_prefix: '##' } })],
    [/normalizer/, file({ top: { normalizer: { type: 'NFC' } } })],
    [/pre_tokenizer: expected an object/, file({ top: { pre_tokenizer: null } })],
    [/pre_tokenizer\.type.*"Whitespace"/, file({ preTokenizer: { type: 'Whitespace' } })],
    [/add_prefix_space/, file({ preTokenizer: { add_prefix_space: true } })],
    [/post_processor.type.*"TemplateProcessing"/, file({ top: { post_processor: { type: 'TemplateProcessing' } } })],
    [/decoder.type.*"BPEDecoder"/, file({ top: { decoder: { type: 'BPEDecoder' } } })],
  ];
  for (const [message, json] of cases) {
    assert.throws(() => parseTokenizerJson(json), { code: 'unsupported_tokenizer', message });
  }
});

test('malformed vocabularies are refused and the entry is named', () => {
  const cases: readonly (readonly [RegExp, unknown])[] = [
    [/expected an object, got null/, null],
    [/expected an object, got an array/, []],
    [/model: expected an object, got nothing/, {}],
    [/vocab: expected an object/, file({ model: { vocab: undefined } })],
    [/got "x"/, file({ model: vocabOf([['foo', 'x']]) })],
    [/got 1\.5/, file({ model: vocabOf([['foo', 1.5]]) })],
    [/got -1/, file({ model: vocabOf([['foo', -1]]) })],
    [/got 1000000000/, file({ model: vocabOf([['foo', 1e9]]) })],
    [/id 257 is both "hey" and "foo"/, file({ model: vocabOf([['foo', 257]]) })],
    [/added_tokens: expected an array/, file({ top: { added_tokens: {} } })],
    [/added_tokens: content: expected a string/, file({ top: { added_tokens: [{ id: 9 }] } })],
    [/added_tokens: lstrip: expected true or false/, file({ top: { added_tokens: [{ content: 'x', lstrip: 1 }] } })],
    [/without lone surrogates/, file({ top: { added_tokens: [{ content: '\ud800' }] } })],
    [/none for byte 0x41/, file({ model: vocabWithoutA })],
  ];
  for (const [message, json] of cases) {
    assert.throws(() => createTokenizer(parseTokenizerJson(json)), { code: 'invalid_vocabulary', message });
  }
});

test('malformed merges are refused and the merge is named', () => {
  const cases: readonly (readonly [RegExp, unknown])[] = [
    [/expected an array, got nothing/, undefined],
    [/merge 1: expected "a b" or/, ['h e', 7]],
    [/merge 1: expected "a b" or/, ['h e', ['he']]],
    [/merge 1: expected "a b" or/, ['h e', ['he', 'y', 'z']]],
    [/merge 1: expected "left right", got "hey"/, ['h e', 'hey']],
    [/merge 1: expected "left right", got "h e y"/, ['h e', 'h e y']],
    [/merge 1: expected "left right", got "he "/, ['h e', 'he ']],
    [/merge 1: "z€" is not in the vocabulary/, ['h e', 'h z€']],
    [/merge 0: "hx" is not in the vocabulary/, ['h x']],
  ];
  for (const [message, merges] of cases) {
    assert.throws(() => createTokenizer(parseTokenizerJson(file({ model: { merges } }))), {
      code: 'invalid_merges',
      message,
    });
  }
});

test('data from another source is checked by the same rules', () => {
  const tokens = [...bytes.map(([token]) => token), 'he'];
  const data = { tokens, merges: ['h e'], addedTokens: [], unused: [] };
  assert.deepEqual(createTokenizer(data).encode('he'), [256]);
  const invalid = { code: 'invalid_vocabulary' };
  const he = plainAddedToken(256, 'he', true);
  assert.equal(createTokenizer({ ...data, addedTokens: [he] }).isSpecial(256), true);
  assert.throws(() => createTokenizer({ ...data, tokens: [] }), invalid);
  assert.throws(() => createTokenizer({ ...data, tokens: [...tokens, 'he'] }), invalid);
  assert.throws(() => createTokenizer({ ...data, addedTokens: [{ ...he, id: 257 }] }), invalid);
  assert.throws(() => createTokenizer({ ...data, addedTokens: [{ ...he, content: 'hE' }] }), invalid);
  assert.throws(() => createTokenizer({ ...data, addedTokens: [he, he] }), invalid);
  assert.throws(() => createTokenizer({ ...data, addedTokens: [he], unused: [256] }), invalid);
  assert.throws(() => createTokenizer({ ...data, unused: [0.5] }), invalid);
  const holed = [...tokens];
  delete holed[256];
  assert.throws(() => createTokenizer({ ...data, tokens: holed }), invalid);
});
