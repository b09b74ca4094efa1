import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutageLog } from './outage-log.ts';

test('an outage has a line at its begin, one every ten seconds, and one at its end', () => {
  const lines: string[] = [];
  let now = 0;
  const line = (message: string, fields = {}): void => void lines.push(`${now} ${message} ${JSON.stringify(fields)}`);
  const log = createOutageLog({ info: line, warn: line }, () => now);
  log.onAnswer();
  for (const at of [0, 1, 9_999, 10_000, 10_001]) {
    now = at;
    log.onOutage('gone');
  }
  now = 12_000;
  log.onAnswer();
  log.onAnswer();
  assert.deepEqual(lines, [
    '0 store unavailable {"error":"gone","failures":1,"for_ms":0}',
    '10000 store unavailable {"error":"gone","failures":4,"for_ms":10000}',
    '12000 store available again {"failures":5,"after_ms":12000}',
  ]);
});
