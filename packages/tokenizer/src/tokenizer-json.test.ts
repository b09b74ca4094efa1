import assert from 'node:assert/strict';
import test from 'node:test';
import { spellByte } from './byte-level.ts';
import { createTokenizer, parseTokenizerJson } from './index.ts';

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
    assert.equal(tokenizer.longestTokenBytes, 3);
  }
});

test('the vocabulary is padded to the model with entries that stand for no text', () => {
  const tokenizer = createTokenizer(parseTokenizerJson(file(), { vocabSize: 300 }));
  assert.equal(tokenizer.vocabSize, 300);
  assert.equal(tokenizer.decode([257, 299, 256]), 'heyhe');
  assert.throws(() => parseTokenizerJson(file(), { vocabSize: 258 }), { code: 'invalid_vocabulary' });
});

test('an added token that the file does not call special is a filler', () => {
  const added = [
    { id: 258, content: '<|endoftext|>', special: true },
    { id: 259, content: '<|extra|>', special: false },
  ];
  const data = parseTokenizerJson(file({ top: { added_tokens: added } }));
  assert.deepEqual([data.special, data.unused], [[258], [259]]);
  assert.equal(createTokenizer(data).decode([258, 259]), '<|extra|>');
});

test('another kind of tokenizer is refused by name', () => {
  const cases: readonly (readonly [RegExp, unknown])[] = [
    [/model\.type.*"Unigram"/, file({ model: { type: 'Unigram' } })],
    [/byte_fallback/, file({ model: { byte_fallback: true } })],
    [/ignore_merges/, file({ model: { ignore_merges: true } })],
    [/continuing_subword_prefix/, file({ model: { continuing_subword_prefix: '##' } })],
    [/normalizer/, file({ top: { normalizer: { type: 'NFC' } } })],
    [/pre_tokenizer: expected an object/, file({ top: { pre_tokenizer: null } })],
    [/pre_tokenizer\.type.*"Whitespace"/, file({ preTokenizer: { type: 'Whitespace' } })],
    [/add_prefix_space/, file({ preTokenizer: { add_prefix_space: true } })],
  ];
  for (const [message, json] of cases) {
    assert.throws(() => parseTokenizerJson(json), { code: 'unsupported_tokenizer', message });
  }
});

test('malformed vocabularies are refused and the entry is named', () => {
  const cases: readonly (readonly [RegExp, unknown])[] = [
    [/expected an object, got null/, null],
    [/expected an object, got a list/, []],
    [/model: expected an object, got nothing/, {}],
    [/model\.vocab: expected an object/, file({ model: { vocab: undefined } })],
    [/got "x"/, file({ model: vocabOf([['foo', 'x']]) })],
    [/got 1\.5/, file({ model: vocabOf([['foo', 1.5]]) })],
    [/got -1/, file({ model: vocabOf([['foo', -1]]) })],
    [/got 1000000000/, file({ model: vocabOf([['foo', 1e9]]) })],
    [/id 259 is missing/, file({ model: vocabOf([['foo', 260]]) })],
    [/id 257 is both "hey" and "foo"/, file({ model: vocabOf([['foo', 257]]) })],
    [/added_tokens: expected a list/, file({ top: { added_tokens: {} } })],
    [/added_tokens: expected a string/, file({ top: { added_tokens: [{ id: 9 }] } })],
    [/token 259: expected byte-level characters, got "f o"/, file({ model: vocabOf([['f o', 259]]) })],
    [/token 259: expected byte-level characters, got ""/, file({ model: vocabOf([['', 259]]) })],
    [
      /none for byte 0x41/,
      file({
        model: vocabOf([
          ['A', 259],
          ['AA', 65],
        ]),
        top: { added_tokens: [{ id: 259, content: 'A', special: true }] },
      }),
    ],
  ];
  for (const [message, json] of cases) {
    assert.throws(() => createTokenizer(parseTokenizerJson(json)), { code: 'invalid_vocabulary', message });
  }
});

test('malformed merges are refused and the merge is named', () => {
  const cases: readonly (readonly [RegExp, unknown])[] = [
    [/expected a list, got nothing/, undefined],
    [/expected at least one/, []],
    [/merge 1: expected "a b" or/, ['h e', 7]],
    [/merge 1: expected "a b" or/, ['h e', ['he']]],
    [/merge 1: expected "a b" or/, ['h e', ['he', 'y', 'z']]],
    [/merge 1: expected "left right", got "hey"/, ['h e', 'hey']],
    [/merge 1: expected "left right", got "h e y"/, ['h e', 'h e y']],
    [/merge 1: expected "left right", got "he "/, ['h e', 'he ']],
    [/merge 1: "z€" is not in the vocabulary/, ['h e', 'h z€']],
    [/merge 0: "hx" is not in the vocabulary/, ['h x']],
    [/merge 1: "h e" is there twice/, ['h e', 'h e']],
  ];
  for (const [message, merges] of cases) {
    assert.throws(() => createTokenizer(parseTokenizerJson(file({ model: { merges } }))), {
      code: 'invalid_merges',
      message,
    });
  }
});

test('data from another source is held to the same rules', () => {
  const tokens = [...bytes.map(([token]) => token), 'he'];
  const data = { tokens, merges: ['h e'], special: [], unused: [] };
  assert.deepEqual(createTokenizer(data).encode('he'), [256]);
  const invalid = { code: 'invalid_vocabulary' };
  assert.throws(() => createTokenizer({ ...data, tokens: [] }), invalid);
  assert.throws(() => createTokenizer({ ...data, tokens: [...tokens, 'he'] }), invalid);
  assert.throws(() => createTokenizer({ ...data, special: [257] }), invalid);
  assert.throws(() => createTokenizer({ ...data, unused: [0.5] }), invalid);
  const holed = [...tokens];
  delete holed[256];
  assert.throws(() => createTokenizer({ ...data, tokens: holed }), invalid);
});
