import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BeamCandidate, MAX_TOKENIZED, type Tokenized, type TokenLogprob } from '@gptj-cloud/protocol';
import { createDirectApp } from '../../testing/direct-app.ts';
import { type EmbeddedApp, openEmbeddedApp } from '../../testing/embedded-app.ts';
import { createFakeEngine } from '../../testing/fake-model.ts';
import { byteModel } from '../../testing/scripted-model.ts';

const PROMPT = 'Once upon a time';

let embedded: EmbeddedApp;
before(async () => {
  embedded = await openEmbeddedApp();
});
after(() => embedded.close());

test('gives ids, texts and positions of tokens, and the same text again', async () => {
  for (const text of ['', PROMPT, 'naïve 🦙\n\u0000<|endoftext|>', '\ud800']) {
    const { tokens, texts, offsets } = await embedded.post<Tokenized>('/v2/tokenize', { text });
    assert.deepEqual(tokens, embedded.tokenizer.encode(text));
    assert.deepEqual([texts.length, offsets.length], [tokens.length, tokens.length]);
    const back = await embedded.post<{ text: string; texts: string[] }>('/v2/detokenize', { tokens });
    assert.deepEqual(back, { text: text === '\ud800' ? '\ufffd' : text, texts });
  }
  const llama = await embedded.post<Tokenized>('/v2/tokenize', { text: 'é🦙é' });
  assert.ok(llama.texts.some((text) => text.startsWith('bytes:\\xf0')));
  assert.deepEqual([...new Set(llama.offsets)], [0, 1, 2]);
});

test('reads special tokens literally, and leaves them out of a text, where the caller asks for it', async () => {
  const text = 'a<|endoftext|>';
  const literal = await embedded.post<Tokenized>('/v2/tokenize', { text, split_special_tokens: true });
  assert.deepEqual(literal.tokens, embedded.tokenizer.encode(text, { splitSpecialTokens: true }));
  const { tokens } = await embedded.post<Tokenized>('/v2/tokenize', { text });
  const plain = await embedded.post<{ text: string }>('/v2/detokenize', { tokens, skip_special_tokens: true });
  assert.equal(plain.text, 'a');
});

test('refuses what is no text, no token id, or too long, and meters nothing', async () => {
  const engine = createFakeEngine();
  const direct = createDirectApp({ engine, model: byteModel(engine) });
  const refused = async (path: string, body: unknown): Promise<string> => {
    const reply = await direct.post(path, body);
    assert.equal(reply.status, 400, path);
    return ((await reply.json()) as { detail: { message: string } }).detail.message;
  };
  assert.match(await refused('/v2/tokenize', {}), /text: expected a string, got nothing/);
  assert.match(await refused('/v2/tokenize', { text: 5 }), /text: expected a string, got 5/);
  assert.match(await refused('/v2/tokenize', { text: 'x'.repeat(MAX_TOKENIZED + 1) }), /at most 65536 tokens/);
  assert.match(await refused('/v2/detokenize', {}), /tokens: expected an array of token ids/);
  assert.match(await refused('/v2/detokenize', { tokens: [-1] }), /token ids from 0/);
  const long = Array.from({ length: MAX_TOKENIZED + 1 }, () => 1);
  assert.match(await refused('/v2/detokenize', { tokens: long }), /at most 65536 token ids/);
  assert.equal((await direct.post('/v2/tokenize', { text: 'x'.repeat(MAX_TOKENIZED) })).status, 200);
  assert.deepEqual([direct.admission.settled, direct.admission.cancelled], [[], []]);
});

test('token events have the log-probabilities of the result, in every mode, with texts', async () => {
  const asked = { logprobs: 2, max_new_tokens: 5, return_dict_in_generate: true };
  for (const mode of [
    { do_sample: false },
    { do_sample: true, num_return_sequences: 2, seed: 1 },
    { num_beams: 2, num_return_sequences: 2 },
    { do_sample: false, stop_strings: ['e'], trim_stop: true },
  ]) {
    const { chunks, outputs } = await embedded.run(PROMPT, { ...asked, ...mode });
    const [{ logprobs }] = outputs as unknown as [{ logprobs: TokenLogprob[][] }];
    for (const [index, expected] of logprobs.entries()) {
      const own = chunks.filter((chunk) => chunk.index === index);
      assert.deepEqual(
        own.flatMap((chunk) => chunk.logprobs ?? []),
        expected,
      );
      for (const chunk of own) assert.equal(chunk.logprobs?.length, chunk.tokens.length);
    }
    for (const { token, text, top } of logprobs.flat()) {
      assert.equal(text, embedded.tokenizer.decode([token], { skipSpecial: false }));
      assert.equal(top.length, 2);
      for (const [id, , shown] of top) {
        assert.equal(shown, embedded.tokenizer.decode([id], { skipSpecial: false }));
      }
    }
  }
  const without = await embedded.run(PROMPT, { max_new_tokens: 2, do_sample: false });
  assert.ok(without.chunks.every((chunk) => !('logprobs' in chunk)));
});

test('beams events have the candidates of every step, as the result has them', async () => {
  const asked = { num_beams: 3, max_new_tokens: 5, output_beams: true, return_dict_in_generate: true };
  const { steps, outputs, chunks } = await embedded.run(PROMPT, asked);
  const [{ beams }] = outputs as unknown as [{ beams: BeamCandidate[][] }];
  assert.ok(beams.length > 1 && chunks.length > 0);
  assert.deepEqual(
    steps.map(({ candidates }) => candidates),
    beams,
  );
  for (const { text, token } of beams.flat()) {
    assert.equal(text, embedded.tokenizer.decode([token], { skipSpecial: false }));
  }
});

test('token events have log-probabilities without return_dict_in_generate, and a warning says where they are', async () => {
  const { chunks, outputs, warnings } = await embedded.run(PROMPT, {
    max_new_tokens: 2,
    logprobs: 0,
    do_sample: false,
  });
  assert.equal(chunks.flatMap((chunk) => chunk.logprobs ?? []).length, 2);
  assert.equal(typeof (outputs[0] as unknown[])[0], 'string');
  assert.match(warnings.join('\n'), /logprobs is not in the result.*events of a stream/);
});
