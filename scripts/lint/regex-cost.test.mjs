import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRegexCost, regexCost } from './regex-cost.mjs';

test('refuses a search whose repetition may begin at every place and fail', () => {
  for (const source of [
    '\\/+$',
    '\\s+$',
    ' *x',
    '^a|b+$',
    '\\s*,\\s*',
    '<[^>]*>',
    '\\d+(?=x)',
    'x*y',
    '[^]*?z',
    '\\w+@',
  ]) {
    assert.equal(regexCost(source), 'quadratic', source);
  }
});

test('refuses repetitions side by side that can match the same characters', () => {
  for (const source of [
    '^\\s*\\s*x',
    '^\\d+\\.?\\d*$',
    '^.*.*x',
    '^(\\w+)\\s*=\\s*([\\x20-\\x7e]*)$',
    '^a*(?:b|a*)c',
  ]) {
    assert.equal(regexCost(source), 'quadratic', source);
  }
});

test('refuses nested repetitions that divide one text in many ways', () => {
  for (const source of ['(a+)+$', '^(a|a)*$', '^(a*)*b', '^(\\w+\\s?)*$', '^(?:[a-z]|[a-c]x?)*$', '^((a{1,9})+)+!']) {
    assert.equal(regexCost(source), 'exponential', source);
  }
});

test('measures what a lookaround contains', () => {
  assert.equal(regexCost('\\B(?=(\\d{3})+$)', 'g'), 'quadratic');
  assert.equal(regexCost('(?=(a|a)*c)b'), 'exponential');
});

test('accepts patterns that take linear time', () => {
  const accepted = [
    ['^a+$'],
    ['\\s+', 'g'],
    ['"([^"]*)"'],
    [';\\s*b=x'],
    ['^[ \\t]*x', 'm'],
    ['\\/+$', 'y'],
    ['^[\\w.]+@[\\w]+$'],
    ['a{0,69}b'],
    ['^(?:a?)*$'],
    ['\\{(\\w+)\\}', 'g'],
    ['^(?:\\d+(?:_\\d+)*)(?:\\.\\d*)?$'],
    ['[\\p{L}\\u{1f600}]{1,3}', 'u'],
    ['(?<name>a)\\k<name>'],
  ];
  for (const [source, flags] of accepted) assert.equal(regexCost(source, flags), null, source);
});

const checked = (text, path = 'apps/server/src/a.ts') => checkRegexCost([{ path, text }]);

test('finds literals and calls of RegExp, and no division, comment or text', () => {
  const found = [
    'const a = text.replace(/\\/+$/, "");',
    'const b = () => { return /x*y/.test(text); };',
    'if (a / 2 > b / 3) use(`$\u007b/x*y/.source} $\u007ba / b}`);',
    "new RegExp('\\\\s+$', 'g');",
    'new RegExp(`$\u007bname}*=`);',
    'RegExp(String.raw`\\s+$`);',
  ];
  for (const line of found) assert.equal(checked(line).length, 1, line);
  const other = [
    'a = b / 2; c = d / e+$/1;',
    '// /x*y/',
    '/* /x*y/ */ const s = "/x*y/";',
    'list[0]! / x; y / 2;',
    '`/x*y/`',
  ];
  for (const line of other) assert.deepEqual(checked(line), [], line);
});

test('reads JSX: expressions in it are checked, its text and its slashes are none', () => {
  const page = (body) => `const Page = () => (\n  ${body}\n);`;
  const inJsx = (body) => checked(page(body), 'apps/dashboard/src/a.tsx');
  assert.match(inJsx('<p title={text.replace(/\\s+$/, "")}>It\'s</p>')[0], /^apps\/dashboard\/src\/a\.tsx:2: /);
  assert.equal(inJsx("<p>Don't {list.filter((each) => /x*y/.test(each))} / <br /></p>").length, 1);
  assert.deepEqual(inJsx("<p>Don't write /x*y/ <b>here</b> / <i title='/x*y/' /></p>"), []);
  assert.deepEqual(checked(page('<b>{/x*y/.test(text)}</b>'), 'apps/dashboard/src/a.test.tsx'), []);
});

test('names file, line and pattern, and refuses a pattern that it cannot read', () => {
  const [finding] = checked('\n\nconst a = /\\s+$/;');
  assert.match(finding, /^apps\/server\/src\/a\.ts:3: \/\\s\+\$\/ takes quadratic time/);
  assert.match(checked('new RegExp(pattern);')[0], /is computed/);
  assert.match(checked("new RegExp('a' + b);")[0], /is computed/);
});

test('checks what ships, not tests', () => {
  for (const path of ['apps/server/src/a.test.ts', 'apps/server/src/testing/a.ts', 'scripts/a.mjs', 'docs/a.md']) {
    assert.deepEqual(checked('/x*y/', path), [], path);
  }
});
