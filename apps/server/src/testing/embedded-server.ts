/** A server process with the embedded model, for tests that kill its engine. The first argument is its data folder. */
import { serve } from '../main.ts';
import { keepBaselineWasm } from './baseline-wasm.ts';

keepBaselineWasm();
await serve({ port: 0, dataDir: process.argv[2] ?? 'data' }, { log: () => {} });
