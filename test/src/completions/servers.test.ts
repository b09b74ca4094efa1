import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { describeCompletionsServer } from './completions-server.contract.ts';
import { NANO_PATH, openFile } from './nano-model.ts';
import { openStubServer } from './stub-server.ts';

describeCompletionsServer('an engine over the stub of vLLM', async () => {
  const [own, behind] = [await openFile(NANO_PATH), await openFile(NANO_PATH)];
  const stub = await openStubServer({ ...behind, key: 'a secret' });
  const close = async (): Promise<void> => {
    await stub.close();
    await Promise.all([own.engine.close(), behind.engine.close()]);
  };
  return { url: stub.url, key: 'a secret', own, close };
});

// A real server: TEST_COMPLETIONS_URL names it, TEST_COMPLETIONS_MODEL is a GGUF file of the same weights.
const { TEST_COMPLETIONS_URL: url, TEST_COMPLETIONS_MODEL: file, TEST_COMPLETIONS_KEY: keyFile } = process.env;
if (url === undefined || file === undefined) {
  describe('an engine over a real vLLM', () => {
    it('does what the contract says', {
      skip: 'TEST_COMPLETIONS_URL and TEST_COMPLETIONS_MODEL are not set',
    }, () => {});
  });
} else {
  describeCompletionsServer(`an engine over ${url}`, async () => {
    const own = await openFile(file);
    const key = keyFile === undefined ? {} : { key: (await readFile(keyFile, 'utf8')).trim() };
    return { url, own, ...key, close: () => own.engine.close() };
  });
}
