/** The contract suite of `Engine`: every implementation passes it, in this process and in a child process. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type GenerateConfig, maxComputedTokens, parseGenerateParameters } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { AdapterFile } from './adapters/adapter-file.ts';
import { describeEngineAdapters } from './adapters/engine-adapters.contract.ts';
import type { Engine, GenerationEvent } from './engine.ts';
import { type GreedyCase, greedyCases } from './tiny-model.fixture.ts';

type Finished = Extract<GenerationEvent, { type: 'finished' }>;

/**
 * Run the suite.
 *
 * @param make opens the tiny model of `fixtures/` with its adapters, a context of 128 positions and a cache of 512 cells
 * @param adapters those of the model: `TINY_ADAPTERS`
 */
export function describeEngine(name: string, make: () => Promise<Engine>, adapters: readonly AdapterFile[]): void {
  describe(name, () => {
    let engine: Engine;
    let cases: readonly GreedyCase[];
    before(async () => {
      cases = await greedyCases();
      engine = await make();
    });
    after(() => engine.close());

    const configure = (promptLength: number, parameters: Record<string, unknown>): GenerateConfig => {
      const { vocabSize, contextLength, eosTokenId } = engine.info.config;
      return parseGenerateParameters(parameters, { vocabSize, contextLength, eosTokenId, promptLength }).config;
    };
    const greedy = (prompt: readonly TokenId[]): GenerateConfig =>
      configure(prompt.length, { max_new_tokens: 64, eos_token_id: -1 });
    const all = async (prompt: readonly TokenId[], config: GenerateConfig): Promise<GenerationEvent[]> => {
      const events: GenerationEvent[] = [];
      for await (const event of engine.generate({ prompt, config })) events.push(event);
      return events;
    };
    const finished = async (prompt: readonly TokenId[], config: GenerateConfig): Promise<Finished> => {
      const last = (await all(prompt, config)).at(-1);
      assert.equal(last?.type, 'finished');
      return last as Finished;
    };

    it('describes the open model', () => {
      const { info } = engine;
      assert.equal(info.config.contextLength, 128);
      assert.equal(info.cacheCells, 512);
      assert.ok(info.loadMs > 0);
    });

    describeEngineAdapters({ engine: () => engine, adapters, cases: () => cases, configure, all, finished });

    it('counts its evaluations', async () => {
      const { prompt } = cases[3]!;
      const before = await engine.stats?.();
      await finished(prompt, greedy(prompt));
      const after = await engine.stats?.();
      assert.ok(before !== undefined && after !== undefined);
      assert.ok(after.evaluations > before.evaluations);
      // Every new token but the last is evaluated, and so are the prompt and drafts.
      assert.ok(after.evaluatedTokens - before.evaluatedTokens >= 63);
      assert.equal(
        after.batchTokens.reduce((sum, count) => sum + count, 0),
        after.evaluations,
      );
      assert.deepEqual([after.active, after.waiting, after.cacheCells], [0, 0, 512]);
    });

    it('reports the steps of a beam search while it searches, as in the outcome', async () => {
      const { prompt } = cases[3]!;
      const config = configure(prompt.length, { max_new_tokens: 8, num_beams: 3, output_beams: true });
      const events = await all(prompt, config);
      const { outcome } = events.at(-1) as Finished;
      const steps = events.flatMap((event) => (event.type === 'searched' ? [event] : []));
      assert.ok(steps.length > 1);
      assert.deepEqual(
        steps.map(({ step }) => step),
        steps.map((_, at) => at),
      );
      assert.deepEqual(
        steps.map(({ candidates }) => candidates),
        outcome.beams,
      );
    });

    it('reports log-probabilities together with their tokens', async () => {
      const { prompt } = cases[3]!;
      for (const parameters of [{}, { num_beams: 2 }, { do_sample: true, num_return_sequences: 2, seed: 1 }]) {
        const config = configure(prompt.length, { max_new_tokens: 8, logprobs: 2, ...parameters });
        const events = await all(prompt, config);
        const { outcome } = events.at(-1) as Finished;
        for (const [index, { logprobs }] of outcome.sequences.entries()) {
          const streamed = events.flatMap((event) =>
            event.type === 'tokens' && event.index === index ? (event.logprobs ?? []) : [],
          );
          assert.deepEqual(streamed, logprobs);
        }
      }
    });

    it('refuses parameters that forbid every token with generation_impossible', async () => {
      const config = configure(1, { max_new_tokens: 2, suppress_tokens: Array.from({ length: 384 }, (_, id) => id) });
      await assert.rejects(all([7], config), { name: 'ModelError', code: 'generation_impossible' });
    });

    it('refuses parameters that cost too much with decoding_too_costly, which names one of them', async () => {
      const config = { ...configure(1, { max_new_tokens: 2 }), stopStrings: ['a'.repeat(4_000_000)] };
      const expected = { name: 'ModelError', code: 'decoding_too_costly', message: /^stop_strings: / };
      await assert.rejects(all([7], config), expected);
    });

    it('scores a prompt without generating', async () => {
      const { prompt } = cases[9]!;
      const config = configure(prompt.length, { max_new_tokens: 0, prompt_logprobs: 1 });
      const { outcome, usage } = await finished(prompt, config);
      assert.deepEqual(outcome.sequences, [{ tokens: [], finishReason: 'length' }]);
      assert.deepEqual(
        outcome.promptLogprobs?.map(({ token }) => token),
        prompt.slice(1),
      );
      assert.equal(usage.generatedTokens, 0);
    });

    it('scores a continuation by processed scores, as where it was generated', async () => {
      const { prompt } = cases[3]!;
      const shaping = { do_sample: true, seed: 3, temperature: 0.8, top_k: 12, no_repeat_ngram_size: 2 };
      const asked = { ...shaping, logprobs: 3, processed_logprobs: true };
      const generated = await finished(prompt, configure(prompt.length, { ...asked, max_new_tokens: 40 }));
      const [sequence] = generated.outcome.sequences;
      const given = { ...asked, continuation_ids: [...(sequence?.tokens ?? [])] };
      const scored = await finished(prompt, configure(prompt.length, given));
      const [again] = scored.outcome.sequences;
      assert.deepEqual(again?.tokens, sequence?.tokens);
      for (const [at, report] of (sequence?.logprobs ?? []).entries()) {
        // Rows of a batch differ a little from rows on their own.
        const close = (one?: number | null, other?: number | null) =>
          one === other || Math.abs((one ?? 0) - (other ?? 0)) < 0.02;
        assert.ok(close(again?.logprobs?.[at]?.logprob, report.logprob), `token ${at}`);
        assert.ok(close(again?.logprobs?.[at]?.processed, report.processed), `token ${at}, processed`);
        assert.ok(report.top.some(({ processed }) => processed !== null));
      }
      assert.equal(scored.usage.computedTokens, generated.usage.computedTokens);
    });

    it("starts, streams every token once in order, and finishes with transformers' tokens", async () => {
      const { prompt, tokens } = cases[3]!;
      const events = await all(prompt, greedy(prompt));
      assert.equal(events[0]?.type, 'started');
      const streamed = events.flatMap((event) => (event.type === 'tokens' ? event.tokens : []));
      assert.deepEqual(streamed, tokens);
      const last = events.at(-1) as Finished;
      assert.deepEqual(last.outcome.sequences[0]?.tokens, tokens);
      assert.equal(last.outcome.sequences[0]?.finishReason, 'length');
      assert.equal(last.usage.promptTokens, prompt.length);
      assert.equal(last.usage.generatedTokens, 64);
    });

    it('reports what a beam search has computed after every step, and its tokens at the end', async () => {
      const { prompt } = cases[3]!;
      const search = { num_beams: 3, num_return_sequences: 2, max_new_tokens: 6, eos_token_id: -1 };
      const events = await all(prompt, configure(prompt.length, search));
      const kinds = events.map((event) => (event.type === 'computed' ? event.computedTokens : event.type));
      const steps = [3, 6, 9, 12, 15].map((positions) => prompt.length + positions);
      assert.deepEqual(kinds, ['started', ...steps, 'tokens', 'tokens', 'finished']);
      const single = await all(prompt, configure(prompt.length, { max_new_tokens: 6 }));
      assert.ok(single.every(({ type }) => type !== 'computed'));
    });

    it('counts prompts of all branches as computed, whether or not the prefix cache had them', async () => {
      const prompt = Array.from({ length: 40 }, (_, i) => (11 * i) % 380);
      const negative = Array.from({ length: 50 }, (_, i) => (13 * i) % 380);
      const guided = { guidance_scale: 1.5, negative_prompt_ids: negative, max_new_tokens: 4, eos_token_id: -1 };
      const expected = prompt.length + negative.length + 2 * 3;
      const config = configure(prompt.length, guided);
      const events = await all(prompt, config);
      assert.deepEqual(events[1], { type: 'computed', computedTokens: prompt.length + negative.length });
      const usages = [(events.at(-1) as Finished).usage, (await finished(prompt, config)).usage];
      assert.deepEqual(
        usages.map(({ computedTokens }) => computedTokens),
        [expected, expected],
      );
      assert.equal(maxComputedTokens(config, prompt.length), expected);
      assert.ok(usages[1]!.cachedTokens > 0);
      const plain = await finished(prompt, greedy(prompt));
      assert.equal(plain.usage.computedTokens, prompt.length + 64);
    });

    it('reports what was computed before a generation fails by its own parameters', async () => {
      const { prompt } = cases[3]!;
      const allowed = { allowed_sequences: [[5, 6, 7]], after_prompt: true };
      for (const [extra, atLeast] of [
        [{}, 3],
        [{ num_beams: 2, num_return_sequences: 1 }, 3],
      ] as const) {
        const config = configure(prompt.length, {
          max_new_tokens: 8,
          prefix_allowed_tokens_fn: allowed,
          suppress_tokens: [7],
          eos_token_id: -1,
          ...extra,
        });
        const events: GenerationEvent[] = [];
        const read = async (): Promise<void> => {
          for await (const event of engine.generate({ prompt, config })) events.push(event);
        };
        await assert.rejects(read(), { name: 'ModelError', code: 'generation_impossible' });
        const tokens = events.reduce((sum, event) => sum + (event.type === 'tokens' ? event.tokens.length : 0), 0);
        const computed = events.flatMap((event) => (event.type === 'computed' ? [event.computedTokens] : [])).at(-1);
        assert.ok(
          Math.max(computed ?? 0, prompt.length + tokens) >= prompt.length + atLeast - 1,
          `${computed} ${tokens}`,
        );
      }
    });

    it('serves many generations at once with the tokens of each alone', async () => {
      const together = await Promise.all(cases.map(({ prompt }) => finished(prompt, greedy(prompt))));
      for (const [i, { outcome }] of together.entries())
        assert.deepEqual(outcome.sequences[0]?.tokens, cases[i]!.tokens);
    });

    it('returns several sequences of one prompt, each streamed under its own index', async () => {
      const prompt = [5, 6, 7];
      const config = configure(3, {
        do_sample: true,
        seed: 7,
        num_return_sequences: 3,
        max_new_tokens: 8,
        eos_token_id: -1,
      });
      const events = await all(prompt, config);
      const { outcome } = events.at(-1) as Finished;
      assert.equal(outcome.sequences.length, 3);
      for (const [index, sequence] of outcome.sequences.entries()) {
        const streamed = events.flatMap((event) =>
          event.type === 'tokens' && event.index === index ? event.tokens : [],
        );
        assert.deepEqual(streamed, sequence.tokens);
        assert.equal(sequence.tokens.length, 8);
      }
      assert.notDeepEqual(outcome.sequences[0], outcome.sequences[1]);
      assert.deepEqual((await finished(prompt, config)).outcome, outcome);
    });

    it('computes a shared prompt once for simultaneous and for later requests', async () => {
      const shared = Array.from({ length: 60 }, (_, i) => (7 * i) % 380);
      const config = configure(61, { max_new_tokens: 4, eos_token_id: -1 });
      const together = await Promise.all([1, 2, 3].map((last) => finished([...shared, last], config)));
      const later = await finished([...shared, 4], config);
      const cached = [...together, later].map(({ usage }) => usage.cachedTokens);
      assert.deepEqual(cached, [0, 60, 60, 60]);
      const again = await finished([...shared, 1], config);
      assert.equal(again.usage.cachedTokens, 60, 'the last token is always computed');
      assert.deepEqual(again.outcome, together[0]?.outcome);
    });

    it('gives a deterministic request identical log-probabilities alone and beside others', async () => {
      const prompt = [11, 12, 13];
      const parameters = {
        do_sample: true,
        seed: 3,
        max_new_tokens: 24,
        eos_token_id: -1,
        logprobs: 2,
        deterministic: true,
      };
      const config = configure(3, parameters);
      const alone = await finished(prompt, config);
      const [together, again] = await Promise.all([
        finished(prompt, config),
        finished(prompt, config),
        ...cases.slice(0, 6).map((other) => finished(other.prompt, greedy(other.prompt))),
      ]);
      assert.ok(alone.outcome.sequences[0]?.tokens.length === 24);
      assert.deepEqual(together?.outcome, alone.outcome);
      assert.deepEqual(again?.outcome, alone.outcome);
    });

    it('frees the cache when the consumer leaves the iteration early', async () => {
      for (let i = 0; i < 40; i++) {
        const { prompt } = cases[i % cases.length]!;
        for await (const event of engine.generate({ prompt, config: greedy(prompt) }))
          if (event.type === 'tokens') break;
      }
      // This one needs nearly the whole cache: it would never be admitted beside a leaked generation.
      const config = configure(1, {
        do_sample: true,
        seed: 1,
        num_return_sequences: 3,
        max_new_tokens: 127,
        eos_token_id: -1,
      });
      assert.equal((await finished([9], config)).outcome.sequences.length, 3);
    });

    it('refuses a generation whose signal was aborted before the start', async () => {
      const { prompt } = cases[0]!;
      const read = async (signal: AbortSignal): Promise<void> => {
        for await (const _ of engine.generate({ prompt, config: greedy(prompt) }, signal));
      };
      await assert.rejects(read(AbortSignal.abort()), { name: 'ModelError', code: 'aborted' });
    });

    it('stops for an aborted signal during the run', async () => {
      // Each needs most of the cache, so one is generated at a time: however late the abort comes, it meets one of them.
      const config = configure(1, {
        max_new_tokens: 127,
        eos_token_id: -1,
        do_sample: true,
        seed: 1,
        num_return_sequences: 3,
      });
      const controller = new AbortController();
      const started = new Set<number>();
      const read = async (at: number): Promise<void> => {
        for await (const event of engine.generate({ prompt: [20 + at], config }, controller.signal)) {
          started.add(at);
          if (event.type === 'tokens') controller.abort();
        }
      };
      const ends = await Promise.allSettled(Array.from({ length: 40 }, (_, at) => read(at)));
      const stopped = ends.flatMap((end, at) => (end.status === 'rejected' ? [{ at, reason: end.reason }] : []));
      for (const { reason } of stopped) assert.equal((reason as { code?: string }).code, 'aborted');
      assert.ok(stopped.some(({ at }) => started.has(at)));
    });

    it('refuses a request larger than the context with context_full and one larger than the cache with cache_full', async () => {
      await assert.rejects(all(new Array(129).fill(1), greedy([1])), { name: 'ModelError', code: 'context_full' });
      const wide = configure(1, { do_sample: true, num_return_sequences: 8, max_new_tokens: 100 });
      await assert.rejects(all([1], wide), { name: 'ModelError', code: 'cache_full' });
    });

    it('refuses generations after close with closed, and returns one promise from every close', async () => {
      const own = await make();
      const closing = own.close();
      assert.equal(own.close(), closing);
      await closing;
      const { prompt } = cases[0]!;
      const read = async (): Promise<void> => {
        for await (const _ of own.generate({ prompt, config: greedy(prompt) }));
      };
      await assert.rejects(read(), { name: 'ModelError', code: 'closed' });
    });
  });
}
