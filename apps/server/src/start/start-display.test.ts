import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../telemetry/logger.ts';
import { createStartDisplay } from './start-display.ts';

function displayed() {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    (line) => lines.push(JSON.parse(line)),
    () => new Date(0),
  );
  return { lines, logger };
}

test('reports each tenth of a long step in the log, and nothing of a short one', () => {
  const { lines, logger } = displayed();
  const display = createStartDisplay(logger, null);
  for (let percent = 0; percent <= 100; percent++) display.progress('loading', percent * 1e8, 1e10, 'model.gguf');
  for (let percent = 0; percent <= 100; percent++) display.progress('converting', percent, 100, 'small');
  assert.deepEqual(
    lines.map(({ message, percent }) => `${message} ${percent}`),
    [10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((percent) => `loading the model ${percent}`),
  );
});

test('draws a bar where there is one, and writes no lines then', () => {
  const { lines, logger } = displayed();
  const drawn: unknown[] = [];
  const display = createStartDisplay(logger, {
    update: (...args) => drawn.push(args),
    clear: () => drawn.push('clear'),
  });
  display.progress('loading', 5e9, 1e10, 'model.gguf');
  display.clear();
  assert.deepEqual([drawn, lines], [[[5e9, 1e10, 'loading model.gguf'], 'clear'], []]);
});
