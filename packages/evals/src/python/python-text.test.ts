import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpPythonStrings } from './python-json.ts';
import { strip, stripEnd } from './python-strip.ts';

test('strings are written as json.dumps of Python writes them', () => {
  assert.equal(
    dumpPythonStrings([
      ['a "b"\n', 'é😀\u007f'],
      ['\ud800', '\u0001'],
    ]),
    '[["a \\"b\\"\\n", "\\u00e9\\ud83d\\ude00\\u007f"], ["\\ud800", "\\u0001"]]',
  );
});

test('strip removes what isspace of Python accepts, which JavaScript does not', () => {
  assert.equal(strip('\u001c a\u0085\u3000'), 'a');
  assert.equal(stripEnd('a\u001f \n'), 'a');
  assert.equal(strip('\ufeffa\ufeff'), '\ufeffa\ufeff');
});
