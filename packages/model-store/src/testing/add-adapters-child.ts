/** A process that adds adapters without end, to be killed: `node add-adapters-child.js FOLDER FIXTURES`. */
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseGptjConfig } from '@gptj-cloud/model';
import { addAdapter } from '../adapters/adapter-store.ts';

const [folder = '', fixtures = ''] = process.argv.slice(2);
const config = parseGptjConfig(JSON.parse(readFileSync(join(fixtures, 'tiny-gptj.json'), 'utf8')).config);
for (let i = 0; ; i++) {
  // A and B in turns, so that every addition replaces the file of the one before.
  const source = join(fixtures, 'adapters', i % 2 === 0 ? 'every-matrix' : 'rslora');
  await addAdapter({
    folder,
    source,
    name: i % 2 === 0 ? 'a' : 'b',
    config,
    tryLock: async () => ({ release: async () => {} }),
    signal: new AbortController().signal,
  });
  writeSync(1, '.');
}
