/** A server process whose runs never end, for tests that kill it. The first argument is its data folder. */
import { serve } from '../main.ts';
import { keepBaselineWasm } from './baseline-wasm.ts';
import { byteTokenizer, createFakeEngine } from './fake-model.ts';

keepBaselineWasm();

const engine = createFakeEngine();
engine.hold();
await serve(
  { port: 0, dataDir: process.argv[2] ?? 'data' },
  { openModel: async () => ({ engine, tokenizer: byteTokenizer }), log: () => {} },
);
