import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type EmbeddedApp, openEmbeddedApp } from '../../testing/embedded-app.ts';
import type { LlamaTokens, TgiToken, VllmTokens } from './read-foreign-tokens.ts';

let embedded: EmbeddedApp;
before(async () => {
  embedded = await openEmbeddedApp();
});
after(() => embedded.close());

const TEXTS = ['', 'Once upon a time', 'naïve 🦙\n<|endoftext|>é'];

test('tokenises as text-generation-inference: each token has the characters that it touches', async () => {
  for (const inputs of TEXTS) {
    const tokens = await embedded.post<readonly TgiToken[]>('/tokenize', { inputs });
    assert.deepEqual(
      tokens.map(({ id }) => id),
      embedded.tokenizer.encode(inputs),
    );
    const characters = Array.from(inputs);
    for (const { text, start, stop } of tokens) assert.equal(text, characters.slice(start, stop).join(''));
    assert.equal(tokens[0]?.start ?? 0, 0);
    assert.equal(tokens.at(-1)?.stop ?? 0, characters.length);
    // No character is left out, and only divided characters are in two tokens.
    for (const [at, { start }] of tokens.entries()) {
      const before = tokens[at - 1]?.stop ?? 0;
      assert.ok(start === before || start === before - 1, `${start} after ${before}`);
    }
  }
});

test('tokenises as vLLM, with the texts of tokens where asked for', async () => {
  const prompt = 'Once upon a time';
  const tokens = embedded.tokenizer.encode(prompt);
  const body = { model: 'gpt-j-6b', prompt, add_special_tokens: true };
  const plain = await embedded.post<VllmTokens>('/tokenize', body);
  assert.deepEqual([plain.tokens, plain.count, plain.token_strs], [tokens, tokens.length, null]);
  assert.ok(plain.max_model_len >= 256);
  const shown = await embedded.post<VllmTokens>('/tokenize', { ...body, return_token_strs: true });
  assert.equal(shown.token_strs?.join(''), prompt);
});

test('tokenises as llama-server: pieces are bytes where they are no text, and special tokens are read as asked', async () => {
  const content = 'é🦙<|endoftext|>';
  const { tokens } = await embedded.post<LlamaTokens>('/tokenize', { content, add_special: true });
  assert.deepEqual(tokens, embedded.tokenizer.encode(content));
  const { tokens: literal } = await embedded.post<LlamaTokens>('/tokenize', { content, parse_special: false });
  assert.deepEqual(literal, embedded.tokenizer.encode(content, { splitSpecialTokens: true }));
  const { tokens: pieces } = await embedded.post<{ tokens: readonly { piece: string | readonly number[] }[] }>(
    '/tokenize',
    { content, with_pieces: true },
  );
  assert.ok(pieces.some(({ piece }) => Array.isArray(piece)));
  const bytes = pieces.map(({ piece }) => (typeof piece === 'string' ? Buffer.from(piece) : Buffer.from([...piece])));
  assert.equal(Buffer.concat(bytes).toString(), content);
});

test('the text of token ids is in the fields of vLLM and of llama-server', async () => {
  for (const text of TEXTS) {
    const tokens = embedded.tokenizer.encode(text);
    assert.deepEqual(await embedded.post('/detokenize', { model: 'tgi', tokens }), { prompt: text, content: text });
  }
});

test('refuses bodies without a text or with messages, unknown models, and long texts', async () => {
  const refused = async (path: string, body: object): Promise<string> => {
    const reply = await embedded.send(path, body);
    return `${reply.status} ${((await reply.json()) as { error: string }).error}`;
  };
  assert.match(await refused('/tokenize', {}), /^422 inputs: expected a string in "inputs".*"prompt".*"content"/);
  assert.match(await refused('/tokenize', { messages: [] }), /^422 messages: GPT-J is not a chat model/);
  assert.match(await refused('/tokenize', { prompt: 5 }), /^422 prompt: expected a string, got 5/);
  assert.match(await refused('/tokenize', { prompt: 'a', model: 'gpt-4' }), /^404 no model gpt-4 here/);
  assert.match(
    await refused('/tokenize', { content: 'ab '.repeat(70_000) }),
    /^422 content: expected at most 65536 tokens/,
  );
  assert.match(await refused('/detokenize', { tokens: [-1] }), /^422 tokens: expected token ids from 0/);
});
