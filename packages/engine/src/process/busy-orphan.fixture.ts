/** A program for tests: starts an engine process, keeps its main thread busy, and prints its process id. */
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { spawnEngine } from './spawn-engine.ts';

let stalls = (): void => {};
const busy = new Promise<void>((resolve) => {
  stalls = resolve;
});
const engine = await spawnEngine({
  path: process.argv[2] ?? '',
  cacheCells: 512,
  threads: 1,
  onWarning: () => stalls(),
  stallMs: 3_600_000,
  module: new URL('./stalling-engine.fixture.js', import.meta.url),
});
const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383, promptLength: 1 };
const { config } = parseGenerateParameters({ max_new_tokens: 2, prefix_allowed_tokens_fn: { regex: 'a*' } }, context);
void engine
  .generate({ prompt: [1], config })
  [Symbol.asyncIterator]()
  .next();
await busy;
process.stdout.write(`${engine.pid}\n`);
setInterval(() => {}, 60_000);
