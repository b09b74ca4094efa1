/** A server process whose tokens take their time, for tests that kill it. Its data folder is the first argument. */
import { serve } from '../main.ts';
import { keepBaselineWasm } from './baseline-wasm.ts';
import { byteTokenizer, createFakeEngine } from './fake-model.ts';

keepBaselineWasm();

const fake = createFakeEngine();
await serve(
  { port: 0, dataDir: process.argv[2] ?? 'data' },
  {
    openModel: async () => ({
      engine: {
        ...fake,
        async *generate(request, signal) {
          for await (const event of fake.generate(request, signal)) {
            await new Promise((resolve) => setTimeout(resolve, 2));
            yield event;
          }
        },
      },
      tokenizer: byteTokenizer,
    }),
    log: () => {},
  },
);
