import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordingOutput } from './testing/recording-output.ts';
import { createTextPrinter } from './text-printer.ts';

test('prints one sequence while it is generated, after the prompt with echo', async () => {
  const { output, text } = recordingOutput({ columns: 80, colours: true });
  const printer = createTextPrinter(output, { prompt: 'Once', echo: true, sequences: 1 });
  printer.begin();
  await printer.push(' upon');
  await printer.push(' a\ttime\n');
  printer.end([' upon a time']);
  assert.equal(text(), '\u001b[1mOnce\u001b[22m upon a\ttime\n\n');
});

test('prints several sequences at the end, each under its number', async () => {
  const { output, text } = recordingOutput({});
  const printer = createTextPrinter(output, { prompt: 'Once', echo: true, sequences: 2 });
  printer.begin();
  await printer.push('x');
  printer.end(['x', 'y']);
  assert.equal(text(), 'Once\n--- 1 of 2\nx\n--- 2 of 2\ny\n');
});

test('writes escape sequences to a pipe and makes them visible on a terminal', async () => {
  const sequence = '\u001b]0;owned\u0007';
  const written = async (columns?: number): Promise<string> => {
    const { output, text } = recordingOutput(columns === undefined ? {} : { columns });
    const printer = createTextPrinter(output, { prompt: sequence, echo: true, sequences: 1 });
    printer.begin();
    await printer.push(sequence);
    return text();
  };
  assert.equal(await written(), sequence + sequence);
  assert.equal(await written(80), '<1b>]0;owned<07><1b>]0;owned<07>');
});
