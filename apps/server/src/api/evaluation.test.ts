// Requests of evaluation harnesses and clients against the embedded model. Expected ids and texts are those of
// transformers 5.18.0 on the same weights in float32, unless a test says otherwise.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JsonValue } from '@gptj-cloud/pickle';
import { readData } from '../testing/direct-app.ts';
import { type EmbeddedApp, openEmbeddedApp } from '../testing/embedded-app.ts';
import type { Completion, CompletionChoice } from './openai/completion-reply.ts';
import type { TextGeneration } from './tgi/text-generation-reply.ts';

const EOS = 50256;
const EOS_TEXT = '<|endoftext|>';
const PROMPT = 'Once upon a time';

let embedded: EmbeddedApp;
before(async () => {
  embedded = await openEmbeddedApp();
});
after(() => embedded.close());

async function complete(body: object): Promise<Completion> {
  return await embedded.post<Completion>('/v1/completions', { prompt: PROMPT, max_tokens: 4, temperature: 0, ...body });
}

async function choice(body: object): Promise<CompletionChoice> {
  const { choices } = await complete(body);
  return choices[0] ?? assert.fail('expected a choice');
}

/** The parts of each choice of a streamed completion, joined. */
async function streamed(body: object): Promise<readonly CompletionChoice[]> {
  const reply = await embedded.send('/v1/completions', {
    prompt: PROMPT,
    max_tokens: 4,
    temperature: 0,
    stream: true,
    ...body,
  });
  const joined: CompletionChoice[] = [];
  for (const line of (await readData(reply)).slice(0, -1)) {
    for (const part of (JSON.parse(line) as Completion).choices) {
      joined[part.index] ??= { ...part, text: '', logprobs: null };
      const whole = joined[part.index]!;
      whole.text += part.text;
      whole.finish_reason = part.finish_reason;
      if (part.logprobs === null) continue;
      whole.logprobs ??= { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
      whole.logprobs.tokens.push(...part.logprobs.tokens);
      whole.logprobs.token_logprobs.push(...part.logprobs.token_logprobs);
      whole.logprobs.top_logprobs?.push(...(part.logprobs.top_logprobs ?? []));
      whole.logprobs.text_offset.push(...part.logprobs.text_offset);
    }
  }
  return joined;
}

async function generate(inputs: string, parameters: object, path = '/generate'): Promise<TextGeneration> {
  const reply = await embedded.post<TextGeneration | readonly TextGeneration[]>(path, {
    inputs,
    parameters: { do_sample: false, details: true, decoder_input_details: true, ...parameters },
  });
  const [one] = Array.isArray(reply) ? reply : [reply];
  return one as TextGeneration;
}

const ALWAYS_EOS = { logit_bias: { [EOS]: 100 } };

test('lists the EOS that ended the text among log-probabilities, echoed or not', async () => {
  for (const echo of [true, false]) {
    const { choices, usage } = await complete({ ...ALWAYS_EOS, echo, logprobs: 1, max_tokens: echo ? 1 : 3 });
    const { text, logprobs, finish_reason } = choices[0]!;
    assert.equal(text, echo ? PROMPT : '');
    assert.equal(finish_reason, 'stop');
    assert.equal(logprobs?.tokens.at(-1), EOS_TEXT);
    assert.ok(Math.abs((logprobs.token_logprobs.at(-1) ?? 0) + 17.3639) < 0.1, `${logprobs.token_logprobs}`);
    assert.equal(logprobs.top_logprobs?.at(-1)?.[EOS_TEXT], logprobs.token_logprobs.at(-1));
    assert.equal(logprobs.text_offset.at(-1), PROMPT.length);
    const { length } = logprobs.tokens;
    assert.equal(length, (echo ? 4 : 0) + (usage?.completion_tokens ?? 0));
    assert.deepEqual(
      [logprobs.token_logprobs.length, logprobs.top_logprobs?.length, logprobs.text_offset.length],
      [length, length, length],
    );
  }
});

test('lists the EOS of every choice: several prompts, n, best_of, beams, streams, EOS as stop string', async () => {
  const bodies = [
    { prompt: [PROMPT, 'The end'], n: 2, temperature: 1, seed: 1 },
    { n: 1, best_of: 3, temperature: 1, seed: 1 },
    { num_beams: 3 },
    { num_beams: 2, n: 2, best_of: 2 },
    { stop: ['\n', EOS_TEXT] },
    { stop: ['xyz'], echo: true },
  ];
  for (const body of bodies) {
    const { choices } = await complete({ logprobs: 2, ...ALWAYS_EOS, ...body });
    for (const { logprobs, finish_reason } of choices) {
      assert.equal(finish_reason, 'stop', JSON.stringify(body));
      assert.equal(logprobs?.tokens.filter((token) => token === EOS_TEXT).length, 1, JSON.stringify([body, choices]));
    }
  }
  const [whole] = await streamed({ logprobs: 1, ...ALWAYS_EOS });
  assert.deepEqual([whole?.text, whole?.logprobs?.tokens, whole?.finish_reason], ['', [EOS_TEXT], 'stop']);
  assert.deepEqual(whole?.logprobs, (await choice({ logprobs: 1, ...ALWAYS_EOS })).logprobs);
});

test('lists special tokens inside the output', async () => {
  const force = { prefix_allowed_tokens_fn: { allowed_sequences: [[257, EOS, 262]], after_prompt: true } };
  const body = { ...force, eos_token_id: -1, max_tokens: 3, logprobs: 0 };
  const { text, logprobs } = await choice(body);
  assert.equal(text, ' a the');
  assert.deepEqual(logprobs?.tokens, [' a', EOS_TEXT, ' the']);
  assert.deepEqual(logprobs.text_offset, [16, 18, 18]);
  assert.deepEqual((await streamed(body))[0]?.logprobs?.tokens, logprobs.tokens);
});

test('text-generation-inference and runs list the EOS, too', async () => {
  const bias = { sequence_bias: [[[EOS], 100]], max_new_tokens: 3 };
  const { generated_text, details } = await generate(PROMPT, bias);
  assert.equal(generated_text, '');
  assert.deepEqual(
    details?.tokens.map(({ id, text, special }) => [id, text, special]),
    [[EOS, EOS_TEXT, true]],
  );
  assert.deepEqual([details?.finish_reason, details?.generated_tokens], ['eos_token', 1]);
  for (const search of [{ do_sample: false }, { num_beams: 2 }, { do_sample: true, num_return_sequences: 2 }]) {
    const run = await embedded.run(PROMPT, { ...bias, ...search, logprobs: 0, return_dict_in_generate: true });
    const [result] = run.outputs as unknown as readonly { sequences: number[][]; logprobs: { token: number }[][] }[];
    for (const list of result?.sequences ?? []) assert.deepEqual(list, [EOS]);
    for (const reports of result?.logprobs ?? [])
      assert.deepEqual(
        reports.map(({ token }) => token),
        [EOS],
      );
    assert.deepEqual(run.chunks[0]?.tokens, [EOS]);
  }
});

test('reads special tokens in text as special tokens', async () => {
  const text = `a${EOS_TEXT}b`;
  const ids = [64, EOS, 65];
  const scored = await complete({ prompt: text, max_tokens: 1, echo: true, logprobs: 0 });
  assert.equal(scored.usage?.prompt_tokens, 3);
  assert.deepEqual(scored.choices[0]?.logprobs?.tokens.slice(0, 3), ['a', EOS_TEXT, 'b']);
  assert.ok(scored.choices[0].text.startsWith(text));
  assert.deepEqual(scored.choices, (await complete({ prompt: ids, max_tokens: 1, echo: true, logprobs: 0 })).choices);
  assert.deepEqual(
    (await generate(text, { max_new_tokens: 1 })).details?.prefill.map(({ id }) => id),
    ids,
  );
  assert.ok((await generate(text, { max_new_tokens: 1, return_full_text: true })).generated_text.startsWith(text));
  const run = await embedded.run(text, { do_sample: false, max_new_tokens: 1, include_input: true });
  assert.equal(run.promptTokens, 3);
  assert.ok(String((run.outputs as unknown as string[][])[0]?.[0]).startsWith(text));
  // Parameters as well: `bad_words` of the EOS alone is dropped, as transformers drops it, and forbids nothing else.
  const forced = { do_sample: false, max_new_tokens: 2, sequence_bias: { [EOS_TEXT]: 50 } };
  for (const words of [{}, { bad_words: [EOS_TEXT] }]) {
    const { finishReasons, usage } = await embedded.run('The end', { ...forced, ...words });
    assert.deepEqual([finishReasons, usage.generatedTokens], [['eos'], 1]);
  }
});

test('split_special_tokens reads them literally on every API, in prompts and in parameters', async () => {
  const text = `a${EOS_TEXT}b`;
  const ids = [64, 27, 91, 437, 1659, 5239, 91, 29, 65];
  const literal = { split_special_tokens: true };
  for (const body of [literal, { generation_config: literal }]) {
    assert.equal((await complete({ prompt: text, max_tokens: 1, ...body })).usage?.prompt_tokens, ids.length);
    for (const path of ['/generate', '/', '/models/gpt-j-6b']) {
      const { details } = await generate(text, { max_new_tokens: 1, ...body }, path);
      assert.deepEqual(
        details?.prefill.map(({ id }) => id),
        ids,
      );
    }
    const run = await embedded.run(text, { do_sample: false, max_new_tokens: 1, ...body });
    assert.equal(run.promptTokens, ids.length);
    const forced = { do_sample: false, max_new_tokens: 1, sequence_bias: { [EOS_TEXT]: 50 } };
    assert.deepEqual((await embedded.run('The end', { ...forced, ...body })).finishReasons, ['length']);
  }
  const mesh = { context: text.repeat(260), response_length: 1 };
  await embedded.post('/complete', mesh);
  await embedded.post('/complete', { ...mesh, ...literal }, 400);
});

test('keeps offsets of the output, whether the prompt is echoed or not', async () => {
  const prompts = [
    [EOS, 464],
    [464, EOS],
    [EOS, EOS, 10545, 245, 98],
    [464, 10545],
    [10545, 464],
    [245, 10545, 10545, 98, 464],
    'é🙂 x',
    `${EOS_TEXT}a`,
    '',
  ];
  for (const prompt of prompts) {
    const body = { prompt, max_tokens: 3, logprobs: 1 };
    const echoed = await choice({ ...body, echo: true });
    const plain = await choice(body);
    assert.deepEqual(
      plain.logprobs?.text_offset,
      echoed.logprobs?.text_offset.slice(-3),
      JSON.stringify([prompt, echoed]),
    );
    assert.deepEqual((await streamed(body))[0]?.logprobs?.text_offset, plain.logprobs?.text_offset);
    // An offset is the place of the token in the echoed text.
    const characters = [...echoed.text];
    for (const [at, token] of (echoed.logprobs?.tokens ?? []).entries()) {
      const from = echoed.logprobs?.text_offset[at] ?? -1;
      if (!token.startsWith('bytes:')) assert.equal(characters.slice(from, from + [...token].length).join(''), token);
    }
  }
});

test('joins a character that the prompt begins and the output ends', async () => {
  const force = { prefix_allowed_tokens_fn: { allowed_sequences: [[245, 98]], after_prompt: true } };
  const body = { prompt: [464, 10545], max_tokens: 2, logprobs: 0, ...force };
  for (const [echo, text, offsets] of [
    [true, 'The 日', [0, 3, 4, 4]],
    [false, '日', [4, 4]],
  ] as const) {
    const whole = await choice({ ...body, echo });
    assert.deepEqual([whole.text, whole.logprobs?.text_offset], [text, offsets]);
    const [parts] = await streamed({ ...body, echo, ...(echo ? { logprobs: null } : {}) });
    assert.equal(parts?.text, text);
  }
});

test('refuses a stop string of half a surrogate pair on every API', async () => {
  const stop = '\ud83d';
  for (const stream of [false, true]) {
    await embedded.post('/v1/completions', { prompt: 'Say: ', stop, stream }, 400);
    await embedded.post('/generate', { inputs: 'Say: ', stream, parameters: { stop: [stop] } }, 422);
  }
  await assert.rejects(embedded.run('Say: ', { stop_strings: [stop] }), { code: 'invalid_parameter' });
});

test('echo with max_tokens 0 returns the prompt', async () => {
  const { choices, usage } = await complete({ echo: true, max_tokens: 0 });
  assert.deepEqual(choices, [{ index: 0, text: PROMPT, logprobs: null, finish_reason: 'length' }]);
  assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens], [4, 0]);
  assert.equal((await streamed({ echo: true, max_tokens: 0 }))[0]?.text, PROMPT);
});

test('reduces a default length to the context that the prompt leaves free', async () => {
  const prompt = Array.from({ length: 2040 }, (_, at) => (at % 2 === 0 ? 464 : 1310));
  assert.equal((await complete({ prompt, max_tokens: undefined })).usage?.completion_tokens, 8);
});

test('max_length counts the prompt, as in a pipeline of 2022', async () => {
  for (const path of ['/models/gpt-j-6b', '/generate', '/']) {
    const text = async (parameters: object) =>
      (await generate('Once', { return_full_text: true, ...parameters }, path)).generated_text;
    assert.equal(await text({ max_length: 6 }), 'Once a little girl, and');
    assert.equal(await text({ generation_config: { max_length: 6 } }), 'Once a little girl, and');
    assert.equal(await text({ max_length: 1 }), 'Once a');
    assert.equal(await text({ max_length: 6, max_new_tokens: 2 }), 'Once a little');
  }
});

test('truncate keeps the last tokens of the whole text', async () => {
  const cases = [
    ['a'.repeat(3001), 5, [24794, 24794, 24794, 24794, 64]],
    ['-'.repeat(2500), 3, [10097, 10097, 650]],
    ['='.repeat(1999), 3, [23926, 25609, 18604]],
  ] as const;
  for (const [inputs, truncate, ids] of cases) {
    const { details } = await generate(inputs, { truncate, max_new_tokens: 1 });
    assert.deepEqual(
      details?.prefill.map(({ id }) => id),
      ids,
    );
    const body = { prompt: inputs, truncate, max_tokens: 0, echo: true };
    assert.equal((await complete(body)).usage?.prompt_tokens, truncate);
  }
});

test('runs apply the parameters inside generation_config', async () => {
  const text = async (parameters: Readonly<Record<string, JsonValue>>) => {
    const { outputs, seed, warnings } = await embedded.run(PROMPT, parameters);
    assert.deepEqual([seed, warnings], [null, []]);
    return outputs;
  };
  const greedy = { do_sample: false, max_new_tokens: 6 };
  assert.deepEqual(await text({ generation_config: greedy }), [[', and the old man was']]);
  const beams = { num_beams: 3, max_new_tokens: 6 };
  assert.deepEqual(await text({ generation_config: beams }), await text(beams));
  const contrastive = { penalty_alpha: 0.6, top_k: 4, max_new_tokens: 6 };
  assert.deepEqual(await text({ generation_config: contrastive }), [[' he could see the world in']]);
  assert.deepEqual(await text(contrastive), [[' he could see the world in']]);
  const [dict] = await text({ generation_config: { ...greedy, return_dict_in_generate: true, logprobs: 0 } });
  assert.ok(typeof dict === 'object' && dict !== null && 'logprobs' in dict && 'texts' in dict);
});

test('runs sample by default, and temperature then acts without a warning', async () => {
  for (const parameters of [{ max_new_tokens: 5 }, { temperature: 0.5, max_new_tokens: 5 }]) {
    const { seed, warnings } = await embedded.run(PROMPT, parameters);
    assert.equal(typeof seed, 'number');
    assert.deepEqual(warnings, []);
  }
  const { seed, warnings } = await embedded.run(PROMPT, { do_sample: false, temperature: 0.5, max_new_tokens: 5 });
  assert.equal(seed, null);
  assert.match(warnings.join(), /^temperature is ignored/);
});
