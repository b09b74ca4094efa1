/** Main module of an engine process for tests: a step that needs the bytes of a token warns that it stalls, and never returns. */
import { openModel } from '../open-model.ts';
import { serveEngine } from './serve-engine.ts';

serveEngine(async (options) => {
  const opened = await openModel(options);
  const tokenBytes = (): never => {
    // Written to the pipe before `send` returns.
    process.send?.({ kind: 'warning', message: 'stalls' });
    for (;;);
  };
  return { ...opened, tokenizer: { ...opened.tokenizer, tokenBytes } };
});
