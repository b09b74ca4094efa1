import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStrategy, type Scorer } from '../drive.ts';
import { generate } from '../generate.ts';
import { ParameterError } from '../parameter-error.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { TEXT_EOS, TEXT_VOCABULARY, textOf, textTokenBytes } from '../testing/vocabulary.ts';
import { workBudget } from '../work-budget.ts';
import { byteAutomaton, type StateSet } from './byte-automaton.ts';
import { nondeterministicAutomaton } from './nondeterministic-automaton.ts';
import { parsePattern } from './parse-pattern.ts';
import { toBytePattern } from './pattern-states.ts';
import { tokenSets } from './token-sets.ts';

function matches(pattern: string, text: string): boolean {
  const automaton = byteAutomaton(parsePattern(pattern), () => {});
  let set: typeof automaton.start | null = automaton.start;
  for (const byte of new TextEncoder().encode(text)) {
    set = set === null ? null : automaton.step(set, automaton.classOf[byte]!);
  }
  return set?.accepts ?? false;
}

const PATTERNS = [
  '\\d{3}-\\d{4}',
  '(cat|dog)s? [^a-z\\x00-\\x20]{2,5}',
  '[é-🙂]{1,4}',
  '\\{"a": (true|false), "b": \\[\\d(, \\d)*\\]\\}',
  '\\w+(?:\\.\\W)?',
  '',
  '(|a)b{0,2}',
  '[]',
  '[^\\]-]*',
  '[a\\-z]+',
  '\\u65e5|\\t',
];

test('the automaton matches the same texts as RegExp', () => {
  const texts = [
    '',
    'b',
    'bb',
    'bbb',
    'ab',
    'abb',
    'a-z',
    '123-4567',
    '123-456',
    'dogs AB',
    'cat é日🙂',
    'cat a',
    '日',
    '\t',
  ];
  texts.push(
    'é',
    '🙂🙂',
    'z',
    '{"a": true, "b": [1, 2]}',
    '{"a": true, "b": []}',
    'word',
    'word.!',
    'word.',
    ']',
    'x\ny',
    '\u{d7ff}',
    '\u{e000}',
  );
  for (const pattern of PATTERNS.filter((one) => one !== '[]')) {
    const native = new RegExp(`^(?:${pattern})$`, 'u');
    for (const text of texts) assert.equal(matches(pattern, text), native.test(text), `${pattern} on ${text}`);
  }
});

test('code points at the boundaries of UTF-8 lengths match', () => {
  const points = [
    0, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x3ffff, 0x40000, 0x10ffff,
  ];
  for (const low of points) {
    for (const high of points.filter((point) => point >= low)) {
      const [from, to] = [String.fromCodePoint(low), String.fromCodePoint(high)].map((c) =>
        /[\\\]^-]/.test(c) ? `\\${c}` : c,
      );
      for (const point of points) {
        assert.equal(matches(`[${from}-${to}]`, String.fromCodePoint(point)), low <= point && point <= high);
      }
    }
  }
});

test('generated text matches the whole pattern when it ends by EOS', () => {
  const draw = seededUniforms(11);
  const scorer: Scorer = ({ tokens, start }) => ({
    logits: tokens.slice(start).map(() => Float32Array.from({ length: TEXT_VOCABULARY }, () => draw() * 8)),
    hidden: [],
    layers: [],
  });
  let ended = 0;
  for (const regex of PATTERNS.filter((one) => one !== '[]')) {
    for (const params of [{ do_sample: true, seed: 1 }, { do_sample: true, seed: 2, top_k: 0 }, {}, { num_beams: 3 }]) {
      const { config } = parseGenerateParameters(
        { ...params, max_new_tokens: 40, prefix_allowed_tokens_fn: { regex } },
        { vocabSize: TEXT_VOCABULARY, contextLength: 64, eosTokenId: TEXT_EOS, promptLength: 2 },
      );
      const strategy = generate({ prompt: [65, 66], config }, { clock: () => 0, tokenBytes: textTokenBytes });
      for (const { tokens, finishReason } of runStrategy(strategy, scorer).sequences) {
        if (finishReason !== 'eos') continue;
        ended++;
        assert.match(textOf(tokens.slice(0, -1)), new RegExp(`^(?:${regex})$`, 'u'));
      }
    }
  }
  assert.ok(ended > 20);
});

test('refuses invalid and unsupported patterns, naming the position', () => {
  const bad = [
    '(',
    'a**',
    'a{3',
    '[',
    '[]',
    '\\q',
    '(?=a)',
    '(?<n>a)',
    'a{2,1}',
    'x{1000}{2}',
    '(a|b',
    '[z-a]',
    '[\\d-z]',
    '^a$',
    'a)',
    'a{1001}',
    '\\x1',
    '\\',
  ];
  for (const regex of bad) {
    assert.throws(
      () => parsePattern(regex),
      (error) => error instanceof ParameterError && /regex: expected .* at character \d+/.test(error.message),
      regex,
    );
  }
  assert.throws(() => parsePattern('('.repeat(2000)), ParameterError);
});

test('refuses a pattern that needs too many states', () => {
  for (const regex of ['(x{1000}){1000}', '((((a|){900}){900}){900}){900}', '(.{30}|.{40}){50}']) {
    assert.throws(
      () => toBytePattern(parsePattern(regex)),
      (error) => error instanceof ParameterError && error.code === 'limit_exceeded',
      regex,
    );
  }
});

test('groups that match only the empty text cost nothing, however often they are repeated', () => {
  const groups = '(?:(?:){0,1000}){0,1000}';
  assert.deepEqual(
    nondeterministicAutomaton(parsePattern(`(?:[a-j]${groups})*`)),
    nondeterministicAutomaton(parsePattern('[a-j]*')),
  );
  assert.equal(matches(groups, ''), true);
  assert.equal(matches(`a(?:|${groups}|b)c`, 'ac'), true);
  assert.equal(matches('(a|){3}(){0}b', 'aab'), true);
});

test('measures a pattern before it makes a state', () => {
  for (const regex of ['(?:(?:a{0,1000}){0,1000}){0,1000}', `${'('.repeat(40)}a${'{0,9})'.repeat(40)}`]) {
    assert.throws(() => toBytePattern(parsePattern(regex)), { code: 'limit_exceeded' });
  }
});

/** 30 places after an "a" make 2^30 sets of states. */
const MANY_SETS = '[a-c]*a[a-c]{30}';

test('a pattern with more sets of states than memory holds is followed within bounds', () => {
  const draw = seededUniforms(9);
  let steps = 0;
  const automaton = byteAutomaton(parsePattern(MANY_SETS), (charged) => {
    steps += charged;
  });
  const text = Array.from({ length: 60_000 }, () => 97 + Math.floor(draw() * 3));
  let set: StateSet | null = automaton.start;
  for (const [at, byte] of text.entries()) {
    set = set === null ? null : automaton.step(set, automaton.classOf[byte]!);
    assert.equal(set?.accepts, at >= 30 && text[at - 30] === 97);
  }
  assert.ok(automaton.dropCount() > 1, 'sets were dropped');
  assert.ok(steps < 2000 * text.length);
});

test('allowed tokens are the same with and without the memory to keep them', () => {
  const kept = tokenSets<number>(1 << 20);
  const few = tokenSets<number>(1000);
  const draw = seededUniforms(10);
  const sets = Array.from({ length: 50 }, (_, key) =>
    Uint32Array.from({ length: 9 }, () => (draw() < key / 50 ? 2 ** 32 * draw() : 0)),
  );
  for (const [key, bits] of sets.entries()) {
    const expected = Array.from({ length: 288 }, (_, token) => token).filter(
      (token) => (bits[token >>> 5]! >>> (token & 31)) & 1,
    );
    assert.deepEqual([...kept.put(key, bits)], expected);
    assert.deepEqual([...few.put(key, bits)], expected);
    assert.deepEqual([...(kept.get(key) ?? [])], expected);
  }
  assert.equal(few.get(0), null, 'the oldest was dropped');
  assert.equal(kept.get(0)?.length, 0);
});

test('a pattern that needs too many steps fails and names its parameter', () => {
  const { config } = parseGenerateParameters(
    { max_new_tokens: 200, prefix_allowed_tokens_fn: { regex: MANY_SETS } },
    { vocabSize: TEXT_VOCABULARY, contextLength: 300, eosTokenId: TEXT_EOS, promptLength: 1 },
  );
  const limits = { stepsPerEvaluation: 1e9, stepsPerGeneration: 50_000, tableBytes: 1e9 };
  const scorer: Scorer = ({ tokens, start }) => ({
    logits: tokens.slice(start).map(() => new Float32Array(TEXT_VOCABULARY)),
    hidden: [],
    layers: [],
  });
  assert.throws(
    () =>
      runStrategy(
        generate({ prompt: [1], config }, { clock: () => 0, tokenBytes: textTokenBytes, budget: workBudget(limits) }),
        scorer,
      ),
    { code: 'decoding_too_costly', message: /^prefix_allowed_tokens_fn: / },
  );
});
