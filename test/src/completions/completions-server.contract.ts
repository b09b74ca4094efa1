/**
 * What an engine over a completions server must do, whichever server that is: the stub, a server of ours, or a real vLLM.
 * Every result is compared with that of our own engine on the same weights.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type GenerateConfig, parseGenerateParameters } from '@gptj-cloud/decoding';
import {
  type Engine,
  type GenerationEvent,
  makeParityProbe,
  openRemoteEngine,
  parameterContext,
  remoteBase,
} from '@gptj-cloud/engine';
import type { OpenedModel } from './nano-model.ts';

export interface ServerUnderTest {
  readonly url: string;
  /** The same weights on our own engine. */
  readonly own: OpenedModel;
  readonly key?: string;
  /** Default: the first model that the server lists. */
  readonly model?: string;
  close(): Promise<void>;
}

type Finished = Extract<GenerationEvent, { type: 'finished' }>;

const TEXTS = ['The ship had been at sea for', 'In the year 1905', 'She opened the door and'];
/** Log-probabilities of two engines differ by rounding. */
const CLOSE = 0.05;

export function describeCompletionsServer(name: string, open: () => Promise<ServerUnderTest>): void {
  describe(name, () => {
    let server: ServerUnderTest;
    let engine: Engine;
    let prompts: readonly (readonly number[])[];

    before(async () => {
      server = await open();
      const { own, url, key = null, model } = server;
      const base = remoteBase(url);
      assert.ok(base !== null);
      engine = await openRemoteEngine({
        address: { url: base, key },
        ...(model === undefined ? {} : { model }),
        local: { name: 'nano', config: own.engine.info.config, tokenizer: own.tokenizer },
        probe: await makeParityProbe(own.engine, own.tokenizer),
      });
      prompts = TEXTS.map((text) => own.tokenizer.encode(text));
    });
    after(async () => {
      await engine?.close();
      await server?.close();
    });

    const configure = (prompt: readonly number[], parameters: Readonly<Record<string, unknown>>): GenerateConfig =>
      parseGenerateParameters(
        { eos_token_id: -1, ...parameters },
        parameterContext(server.own.engine.info, prompt.length),
      ).config;
    const all = async (
      made: Engine,
      prompt: readonly number[],
      parameters: Readonly<Record<string, unknown>>,
      signal?: AbortSignal,
    ): Promise<readonly GenerationEvent[]> => {
      const events: GenerationEvent[] = [];
      const request = { prompt, config: configure(prompt, parameters) };
      for await (const event of made.generate(request, signal)) events.push(event);
      return events;
    };
    const finished = async (
      prompt: readonly number[],
      parameters: Readonly<Record<string, unknown>>,
      made = engine,
    ): Promise<Finished> => {
      const last = (await all(made, prompt, parameters)).at(-1);
      assert.equal(last?.type, 'finished');
      return last as Finished;
    };
    /** The same request on both engines. */
    const both = async (prompt: readonly number[], parameters: Readonly<Record<string, unknown>>) => {
      const [remote, own] = [await finished(prompt, parameters), await finished(prompt, parameters, server.own.engine)];
      return { remote, own };
    };
    const assertSame = async (parameters: Readonly<Record<string, unknown>>): Promise<void> => {
      for (const prompt of prompts) {
        const { remote, own } = await both(prompt, { max_new_tokens: 24, ...parameters });
        assert.deepEqual(remote.outcome.sequences, own.outcome.sequences);
      }
    };

    it('is described by the name, the sizes and the kind of the engine', () => {
      assert.deepEqual([engine.info.modelName, engine.info.kind, engine.info.backend], ['nano', 'openai', 'remote']);
      assert.ok(engine.info.config.contextLength <= server.own.engine.info.config.contextLength);
    });

    it('decodes greedily as our own engine does, streams every token once in order, and meters them', async () => {
      const [prompt] = prompts as [readonly number[]];
      const parameters = { max_new_tokens: 24 };
      const events = await all(engine, prompt, parameters);
      const own = await finished(prompt, parameters, server.own.engine);
      const last = events.at(-1) as Finished;
      assert.equal(events[0]?.type, 'started');
      assert.deepEqual(last.outcome.sequences, own.outcome.sequences);
      const streamed = events.flatMap((event) => (event.type === 'tokens' ? event.tokens : []));
      assert.deepEqual(streamed, own.outcome.sequences[0]?.tokens);
      const { promptTokens, generatedTokens, computedTokens } = last.usage;
      assert.deepEqual([promptTokens, generatedTokens, computedTokens], [prompt.length, 24, prompt.length + 24]);
    });

    it('honours exactly: repetition_penalty, OpenAI penalties, sequence_bias, forbidden tokens, minimum and ends', async () => {
      const [prompt] = prompts as [readonly number[]];
      const { outcome } = await finished(prompt, { max_new_tokens: 24 }, server.own.engine);
      const tokens = outcome.sequences[0]?.tokens ?? [];
      const [second, later] = [tokens[1] ?? 0, tokens[9] ?? 0];
      await assertSame({ repetition_penalty: 1.3 });
      await assertSame({ presence_penalty: 0.7, frequency_penalty: 0.3 });
      await assertSame({ sequence_bias: [[[second], 3.5]] });
      await assertSame({ bad_words_ids: [[second]], suppress_tokens: [later] });
      await assertSame({ eos_token_id: [later] });
      const eos = [later, server.own.engine.info.config.eosTokenId ?? later];
      await assertSame({ eos_token_id: eos, min_new_tokens: 16 });
      await assertSame({ stopping_criteria: [{ type: 'stop_token_sequences', sequences: [[later]] }] });
      await assertSame({ stopping_criteria: [{ type: 'stop_token_sequences', sequences: [tokens.slice(4, 6)] }] });
    });

    it('ends at stop strings that begin within a token, and keeps nothing of what comes after', async () => {
      const [prompt] = prompts as [readonly number[]];
      const { outcome } = await finished(prompt, { max_new_tokens: 24 }, server.own.engine);
      const text = server.own.tokenizer.decode(outcome.sequences[0]?.tokens ?? []);
      await assertSame({ stop_strings: [text.slice(11, 14)] });
      const stopped = await finished(prompt, { max_new_tokens: 24, stop_strings: [text.slice(11, 14)] });
      assert.equal(stopped.outcome.sequences[0]?.finishReason, 'stop');
      assert.ok(stopped.usage.generatedTokens < 24);
    });

    it('reports log-probabilities of tokens, with the most likely ones beside each', async () => {
      for (const prompt of prompts) {
        const { remote, own } = await both(prompt, { max_new_tokens: 12, logprobs: 3 });
        const [mine, theirs] = [own.outcome.sequences[0], remote.outcome.sequences[0]];
        assert.deepEqual(theirs?.tokens, mine?.tokens);
        for (const [at, report] of (theirs?.logprobs ?? []).entries()) {
          const expected = mine?.logprobs?.[at];
          assert.ok(Math.abs(report.logprob - (expected?.logprob ?? 0)) < CLOSE);
          assert.equal(report.top.length, 3);
          assert.ok(Math.abs((report.top[2]?.logprob ?? 0) - (expected?.top[2]?.logprob ?? 0)) < CLOSE);
        }
        assert.equal(theirs?.logprobs?.length, 12);
      }
    });

    it('scores a prompt, alone and before a generation, and a continuation', async () => {
      const [prompt] = prompts as [readonly number[]];
      for (const parameters of [
        { max_new_tokens: 0, prompt_logprobs: 2 },
        { max_new_tokens: 4, prompt_logprobs: 0, logprobs: 1 },
      ]) {
        const { remote, own } = await both(prompt, parameters);
        assert.deepEqual(
          remote.outcome.promptLogprobs?.map(({ token, top }) => [token, top.length]),
          own.outcome.promptLogprobs?.map(({ token, top }) => [token, top.length]),
        );
        for (const [at, { logprob }] of (remote.outcome.promptLogprobs ?? []).entries())
          assert.ok(Math.abs(logprob - (own.outcome.promptLogprobs?.[at]?.logprob ?? 0)) < CLOSE);
        assert.equal(remote.outcome.sequences[0]?.tokens.length, parameters.max_new_tokens);
      }
      const given = { continuation_ids: prompts[1], logprobs: 1 };
      const { remote, own } = await both(prompt, given);
      const [mine, theirs] = [own.outcome.sequences[0], remote.outcome.sequences[0]];
      assert.deepEqual([theirs?.tokens, theirs?.finishReason], [mine?.tokens, mine?.finishReason]);
      for (const [at, { logprob }] of (theirs?.logprobs ?? []).entries())
        assert.ok(Math.abs(logprob - (mine?.logprobs?.[at]?.logprob ?? 0)) < CLOSE);
      assert.equal(theirs?.logprobs?.length, prompts[1]?.length);
    });

    it('samples several sequences within the filters, each streamed under its own index', async () => {
      const [prompt] = prompts as [readonly number[]];
      const parameters = { do_sample: true, num_return_sequences: 3, max_new_tokens: 10, temperature: 1.2, top_k: 5 };
      const events = await all(engine, prompt, { ...parameters, logprobs: 5 });
      const { outcome } = events.at(-1) as Finished;
      assert.equal(outcome.sequences.length, 3);
      for (const [index, { tokens, logprobs }] of outcome.sequences.entries()) {
        const streamed = events.flatMap((event) =>
          event.type === 'tokens' && event.index === index ? event.tokens : [],
        );
        assert.deepEqual(streamed, tokens);
        assert.equal(tokens.length, 10);
        for (const { token, logprob, top } of logprobs ?? [])
          assert.ok(top.some((one) => one.token === token) || logprob >= (top[4]?.logprob ?? 0) - CLOSE);
      }
      const greedy = await both(prompt, { do_sample: true, top_k: 1, max_new_tokens: 12 });
      assert.deepEqual(greedy.remote.outcome.sequences[0]?.tokens, greedy.own.outcome.sequences[0]?.tokens);
    });

    it('generates many at once, each with the tokens that it has alone', async () => {
      const requests = [...prompts, ...prompts];
      const together = await Promise.all(requests.map((prompt) => finished(prompt, { max_new_tokens: 16 })));
      for (const [at, { outcome }] of together.entries()) {
        const own = await finished(requests[at] ?? [], { max_new_tokens: 16 }, server.own.engine);
        assert.deepEqual(outcome.sequences, own.outcome.sequences);
      }
    });

    it('cancels at the server what is aborted, and what its reader leaves', async () => {
      const [prompt] = prompts as [readonly number[]];
      const parameters = { max_new_tokens: 800 };
      const stop = new AbortController();
      const read = async (): Promise<void> => {
        const request = { prompt, config: configure(prompt, parameters) };
        for await (const event of engine.generate(request, stop.signal)) if (event.type === 'tokens') stop.abort();
      };
      await assert.rejects(read(), { name: 'ModelError', code: 'aborted' });
      for await (const event of engine.generate({ prompt, config: configure(prompt, parameters) }))
        if (event.type === 'tokens') break;
      // The server stops at its next step.
      for (;;) {
        const stats = await engine.stats?.();
        if (stats?.active === 0) break;
      }
      await assert.rejects(all(engine, prompt, parameters, AbortSignal.abort()), { code: 'aborted' });
    });

    it('refuses by name what it cannot honour, and what is longer than the context', async () => {
      const [prompt] = prompts as [readonly number[]];
      const tooLong = new Array<number>(engine.info.config.contextLength + 1).fill(prompt[0] ?? 0);
      const longer = engine.generate({ prompt: tooLong, config: configure(prompt, {}) });
      await assert.rejects(longer[Symbol.asyncIterator]().next(), { name: 'ModelError', code: 'context_full' });
      for (const [parameter, parameters] of Object.entries({
        num_beams: { num_beams: 2 },
        seed: { do_sample: true, seed: 7 },
        no_repeat_ngram_size: { no_repeat_ngram_size: 2 },
        deterministic: { deterministic: true },
        top_p: { do_sample: true, top_p: 0.9, min_p: 0.1 },
        logprobs: { logprobs: 21 },
      })) {
        await assert.rejects(all(engine, prompt, { max_new_tokens: 2, ...parameters }), {
          name: 'ModelError',
          code: 'parameters_refused',
          message: new RegExp(`^${parameter}: expected`),
        });
      }
    });

    it('refuses generations after close, and returns one promise from every close', async () => {
      const [prompt] = prompts as [readonly number[]];
      assert.equal(engine.close(), engine.close());
      await engine.close();
      await assert.rejects(all(engine, prompt, { max_new_tokens: 2 }), { code: 'closed' });
    });
  });
}
