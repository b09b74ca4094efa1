import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPickleVectors } from './pickle-vectors.ts';

/** Whether a pickle counts as the JSON text given. */
function accepts(hex: string, json: string): boolean {
  const [result] = runPickleVectors(`{"accept": [{"name": "case", "hex": "${hex}", "json": ${json}}], "reject": {}}`);
  assert.ok(result !== undefined);
  return result.passed;
}

test('compares values by content, and by type if the file shows it', () => {
  const cases: readonly (readonly [hex: string, json: string, same: boolean])[] = [
    ['80024b052e', '5', true],
    ['80024b052e', '6', false],
    ['80024b052e', '5.0', false],
    ['80024b052e', '"5"', false],
    ['80024b012e', 'true', false],
    ['80024740140000000000002e', '5.0', true],
    ['80024780000000000000002e', '-0.0', true],
    ['80024780000000000000002e', '0.0', false],
    ['80028a0801000000000020002e', '9007199254740993', true],
    ['80028a0801000000000020002e', '9007199254740992', false],
    ['80024b014b02862e', '[1, 2]', true],
    ['80024b014b02862e', '[1]', false],
    ['80025d2e', '{}', false],
    ['80027d2e', '{}', true],
    ['80047d8c01614e732e', '{"a": null}', true],
    ['80047d8c01614e732e', '{"b": null}', false],
    ['80047d8c01614e732e', '{"a": null, "b": null}', false],
    ['80047d8c095f5f70726f746f5f5f4e732e', '{"__proto__": null}', true],
    ['80048c03eda0802e', '"\\ud800"', true],
    ['80048c0531202e20352e', '"1 . 5"', true],
    ['zz', '""', false],
  ];
  for (const [hex, json, same] of cases) assert.equal(accepts(hex, json), same, `${hex} as ${json}`);
});

test('a failure shows both values as JSON', () => {
  const [result] = runPickleVectors(
    '{"accept": [{"name": "n", "hex": "80025d4b05612e", "json": [5.0]}], "reject": {}}',
  );
  assert.deepEqual(result, { name: 'n', passed: false, expected: '[5.0]', got: '[5]' });
});

test('a rejected pickle passes by a typed error at any step, and fails when it is read', () => {
  const results = runPickleVectors(
    '{"accept": [], "reject": {"hex": "zz", "nan": "8002477ff80000000000002e", "fine": "80024e2e"}}',
  );
  assert.deepEqual(
    [...results].map(({ name, passed }) => [name, passed]),
    [
      ['hex', true],
      ['nan', true],
      ['fine', false],
    ],
  );
});

test('a file of another form is refused', () => {
  for (const text of ['[]', '{"accept": {}, "reject": {}}', '{"accept": [{"hex": "80024e2e"}], "reject": {}}']) {
    assert.throws(() => [...runPickleVectors(text)], /expected \{/);
  }
});
