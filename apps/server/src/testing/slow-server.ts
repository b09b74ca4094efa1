/** A server process that takes 2 ms for each token, for tests that kill it. The first argument is its data folder. */
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
