/**
 * What every `LanguageModel` must do, whoever multiplies the matrices. Each implementation's test file calls
 * `describeLanguageModel` with a model of its own.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LanguageModel, Step, TokenId } from '@gptj-cloud/model';
import { copied, holdSequences } from './held-sequences.fixture.ts';

export interface LanguageModelContractOptions {
  /** Most that a logit may move with the shape of the batch. 0 for an engine whose numbers never move. */
  readonly tolerance: number;
}

/**
 * Run the suite.
 *
 * @param make opens a model whose cache holds at least one context and 64 cells; a few contexts keep the suite quick
 */
export function describeLanguageModel(
  name: string,
  make: () => Promise<LanguageModel>,
  options: LanguageModelContractOptions,
): void {
  describe(name, () => {
    let model: LanguageModel;
    before(async () => {
      model = await make();
    });
    after(() => model.close());
    const { held, open, fork, hold, release, words, feed, near, farApart, refuses } = holdSequences(
      () => model,
      options.tolerance,
    );

    it('scores no position, the last one or all of them, as each step asks', async () => {
      const [a, b, c] = [open(), open(), open()];
      const { vocabSize } = model.config;
      const results = await model.evaluate([
        { sequence: a, tokens: words(5, 1), scored: 'none' },
        { sequence: b, tokens: words(3, 2), scored: 'all' },
        { sequence: c, tokens: words(4, 3), scored: 'last' },
      ]);
      assert.deepEqual(
        results.map((result) => result.logits.map((row) => row.length)),
        [[], [vocabSize, vocabSize, vocabSize], [vocabSize]],
      );
      assert.ok(results.every((result) => result.hidden.length === 0 && result.layers.length === 0));
      assert.ok(results.every((result) => result.logits.every((row) => row.every(Number.isFinite))));
      assert.deepEqual(
        [a, b, c].map((sequence) => model.length(sequence)),
        [5, 3, 4],
      );
      assert.equal(model.freeCells, model.limits.cacheCells - 12);
    });

    it('gives the last row of "all" for "last"', async () => {
      const all = await feed(open(), words(6, 4), { scored: 'all' });
      near((await feed(open(), words(6, 4))).logits, all.logits.slice(-1));
      farApart(all.logits[0]!, all.logits[1]!);
    });

    it('gives a sequence the same numbers alone and beside others', async () => {
      const alone = await feed(open(), words(12, 5), { scored: 'all' });
      const [a, b, c] = [open(), open(), open()];
      await feed(a, words(9, 6));
      const results = await model.evaluate([
        { sequence: a, tokens: words(7, 7), scored: 'all' },
        { sequence: b, tokens: words(12, 5), scored: 'all' },
        { sequence: c, tokens: words(1, 8), scored: 'last' },
      ]);
      near(results[1]!.logits, alone.logits);
    });

    it('restores a snapshot beside other sequences, and forks it like any other', async () => {
      const source = open();
      await feed(source, words(20, 30));
      const bytes = model.snapshot(source);
      const twin = fork(source);
      const expected = await feed(twin, words(3, 31), { scored: 'all' });
      release(source);
      release(twin);
      await feed(open(), words(9, 32));
      const restored = hold(model.restore(bytes, 20));
      assert.equal(model.length(restored), 20);
      assert.equal(model.freeCells, model.limits.cacheCells - 29);
      const branch = fork(restored, 20);
      near((await feed(branch, words(3, 31), { scored: 'all' })).logits, expected.logits);
      const shorter = fork(restored, 11);
      const again = open();
      await feed(again, words(20, 30).slice(0, 11));
      near((await feed(shorter, words(2, 33))).logits, (await feed(again, words(2, 33))).logits);
    });

    it('snapshots what a fork shares with its source, and nothing else of it', async () => {
      const source = open();
      await feed(source, words(20, 34));
      const part = fork(source, 12);
      const bytes = model.snapshot(part);
      const restored = hold(model.restore(bytes, 12));
      assert.equal(model.length(restored), 12);
      const expected = await feed(part, words(4, 35));
      near((await feed(restored, words(4, 35))).logits, expected.logits);
    });

    it('refuses a snapshot of another length and one that does not fit into the cache', async () => {
      const source = open();
      await feed(source, words(20, 36));
      const bytes = model.snapshot(source);
      await refuses('snapshot_invalid', () => model.restore(bytes, 19));
      await refuses('snapshot_invalid', () => model.restore(bytes.subarray(0, bytes.byteLength - 40), 20));
      while (model.freeCells >= 20) hold(model.restore(bytes, 20));
      await refuses('cache_full', () => model.restore(bytes, 20));
    });

    it('gives a prompt fed in chunks or token by token the numbers of the whole', async () => {
      const tokens = words(24, 9);
      const whole = await feed(open(), tokens, { scored: 'all' });
      for (const size of [1, 7, 23]) {
        const sequence = open();
        const rows: Float32Array[] = [];
        for (let at = 0; at < tokens.length; at += size) {
          rows.push(...(await feed(sequence, tokens.slice(at, at + size), { scored: 'all' })).logits);
        }
        near(rows, whole.logits);
      }
    });

    it('looks back only: what follows a position does not change its numbers', async () => {
      const first = await feed(open(), [...words(8, 10), ...words(8, 11)], { scored: 'all' });
      const second = await feed(open(), [...words(8, 10), ...words(8, 12)], { scored: 'all' });
      near(second.logits.slice(0, 8), first.logits.slice(0, 8));
      farApart(second.logits[8]!, first.logits[8]!);
    });

    it('tells positions apart: the same tokens in another order score otherwise', async () => {
      const [a, b, c] = words(3, 13) as [TokenId, TokenId, TokenId];
      const forwards = await feed(open(), [a, b, c]);
      const swapped = await feed(open(), [b, a, c]);
      farApart(forwards.logits[0]!, swapped.logits[0]!);
    });

    it('shares the cells of a fork, which then grows apart from its source', async () => {
      const total = model.limits.cacheCells;
      const source = open();
      await feed(source, words(16, 14));
      const whole = fork(source);
      const part = fork(source, 10);
      const empty = fork(source, 0);
      assert.deepEqual(
        [source, whole, part, empty].map((sequence) => model.length(sequence)),
        [16, 16, 10, 0],
      );
      assert.equal(model.freeCells, total - 16);

      const [ofSource, ofWhole, ofPart] = (
        await model.evaluate([
          { sequence: source, tokens: words(3, 15), scored: 'last' },
          { sequence: whole, tokens: words(3, 16), scored: 'last' },
          { sequence: part, tokens: words(3, 17), scored: 'last' },
          { sequence: empty, tokens: words(1, 18), scored: 'none' },
        ])
      ).map(copied);
      assert.equal(model.freeCells, total - 16 - 10);
      near(ofSource!.logits, (await feed(open(), [...words(16, 14), ...words(3, 15)])).logits);
      near(ofWhole!.logits, (await feed(open(), [...words(16, 14), ...words(3, 16)])).logits);
      near(ofPart!.logits, (await feed(open(), [...words(16, 14).slice(0, 10), ...words(3, 17)])).logits);
    });

    it('keeps a shared cell until its last sequence lets go of it', async () => {
      const total = model.limits.cacheCells;
      const source = open();
      await feed(source, words(16, 19));
      const child = fork(source, 10);
      const grandchild = fork(child);
      model.truncate(source, 4);
      assert.equal(model.freeCells, total - 10);
      release(source);
      release(child);
      assert.equal(model.freeCells, total - 10);
      const next = await feed(grandchild, words(2, 20));
      near(next.logits, (await feed(open(), [...words(16, 19).slice(0, 10), ...words(2, 20)])).logits);
      model.truncate(grandchild, 10);
      release(grandchild);
      assert.equal(model.freeCells, total - 12);
    });

    it('continues from a truncated sequence as if the rest had never been', async () => {
      const sequence = open();
      await feed(sequence, words(20, 21));
      model.truncate(sequence, 25);
      assert.equal(model.length(sequence), 20, 'truncating to more than there is does nothing');
      model.truncate(sequence, 8);
      assert.equal(model.length(sequence), 8);
      const again = await feed(sequence, words(5, 22), { scored: 'all' });
      const fresh = await feed(open(), [...words(20, 21).slice(0, 8), ...words(5, 22)], { scored: 'all' });
      near(again.logits, fresh.logits.slice(8));
      model.truncate(sequence, 0);
      near((await feed(sequence, words(4, 23))).logits, (await feed(open(), words(4, 23))).logits);
    });

    it('gives hidden states of the scored positions where they are asked', async () => {
      const { embeddingSize } = model.config;
      const [a, b, c] = [open(), open(), open()];
      const results = (
        await model.evaluate([
          { sequence: a, tokens: words(4, 24), scored: 'all', hidden: true },
          { sequence: b, tokens: words(4, 24), scored: 'last' },
          { sequence: c, tokens: words(4, 24), scored: 'none', hidden: true },
        ])
      ).map(copied);
      assert.deepEqual(
        results.map((result) => result.hidden.map((row) => row.length)),
        [Array(4).fill(embeddingSize), [], []],
      );
      near(results[1]!.logits, results[0]!.logits.slice(-1));
      farApart(results[0]!.hidden[0]!, results[0]!.hidden[1]!);
      const last = await feed(open(), words(4, 24), { hidden: true });
      near(last.hidden, results[0]!.hidden.slice(-1));
      near(last.logits, results[0]!.logits.slice(-1));
    });

    it('gives early-exit logits layer by layer, or says that it has none', async () => {
      const sequence = open();
      if (!model.capabilities.earlyExit) {
        await refuses('unsupported', () => feed(sequence, words(3, 25), { layers: [0] }));
        return;
      }
      const { layerCount, vocabSize } = model.config;
      const asked = [layerCount - 1, 0];
      const result = await feed(sequence, words(3, 25), { scored: 'all', layers: asked });
      assert.deepEqual(
        result.layers.map((rows) => rows.map((row) => row.length)),
        asked.map(() => Array(3).fill(vocabSize)),
      );
      near(result.logits, (await feed(open(), words(3, 25), { scored: 'all' })).logits);
      const lone = await feed(open(), words(3, 25).slice(2), { layers: [0] });
      near(lone.layers[0]!, result.layers[1]!.slice(2));
      farApart(result.layers[0]![2]!, result.layers[1]![2]!);
      for (const layer of [-1, layerCount, 0.5]) {
        await refuses('unsupported', () => feed(sequence, words(1, 25), { layers: [layer] }));
      }
    });

    it('refuses a sequence that would pass the context', async () => {
      const sequence = open();
      await feed(sequence, words(2, 26));
      const { contextLength } = model.config;
      await refuses('context_full', () => feed(sequence, words(contextLength - 1, 27), { scored: 'none' }));
    });

    it('refuses a batch with more tokens than it takes', async () => {
      const { contextLength } = model.config;
      const steps: Step[] = [];
      for (let left = model.limits.maxBatchTokens + 1; left > 0; left -= contextLength) {
        steps.push({ sequence: open(), tokens: words(Math.min(left, contextLength), 28), scored: 'none' });
      }
      await refuses('batch_too_large', () => model.evaluate(steps));
    });

    it('refuses steps that need more cells than are free', async () => {
      const { contextLength } = model.config;
      const max = Math.min(contextLength, model.limits.maxBatchTokens);
      while (model.freeCells >= max) await feed(open(), words(max, 29), { scored: 'none' });
      const small = open();
      const steps = [{ sequence: small, tokens: words(1, 30), scored: 'none' as const }];
      if (model.freeCells > 0) steps.push({ sequence: open(), tokens: words(model.freeCells, 31), scored: 'none' });
      await refuses('cache_full', () => model.evaluate(steps));
      for (const sequence of [...held]) if (sequence !== small) release(sequence);
      near((await feed(small, words(4, 32))).logits, (await feed(open(), words(4, 32))).logits);
    });

    it('refuses one sequence too many, opened or forked', async () => {
      const first = open();
      await feed(first, words(1, 33));
      while (held.size < model.limits.maxSequences) open();
      await refuses('too_many_sequences', () => model.open());
      await refuses('too_many_sequences', () => model.fork(first));
      release([...held].at(-1)!);
      assert.equal(model.length(fork(first)), 1);
    });

    it('refuses a sequence that is not open', async () => {
      const beside: Step = { sequence: open(), tokens: words(2, 34), scored: 'none' };
      const sequence = open();
      await feed(sequence, words(3, 35));
      release(sequence);
      for (const unknown of [sequence, -1, 1e6]) {
        await refuses('unknown_sequence', () => model.length(unknown));
        await refuses('unknown_sequence', () => model.fork(unknown, 0));
        await refuses('unknown_sequence', () => model.truncate(unknown, 0));
        await refuses('unknown_sequence', () => model.release(unknown));
        await refuses('unknown_sequence', () => model.evaluate([beside, { ...beside, sequence: unknown }]));
      }
    });

    it("refuses a caller's mistakes before anything changes", async () => {
      const sequence = open();
      await feed(sequence, words(3, 36));
      const free = model.freeCells;
      const step: Step = { sequence, tokens: words(2, 37), scored: 'last' };
      for (const steps of [
        [],
        [step, step],
        [{ ...step, tokens: [] }],
        [{ ...step, tokens: [0, -1] }],
        [{ ...step, tokens: [0.5] }],
        [{ ...step, tokens: [model.config.vocabSize] }],
      ]) {
        await assert.rejects(async () => model.evaluate(steps), RangeError);
      }
      for (const length of [-1, 4, 0.5]) assert.throws(() => model.fork(sequence, length), RangeError);
      assert.deepEqual([model.freeCells, model.length(sequence)], [free, 3]);
    });

    it('aborts before it begins and while it runs, and leaves the sequences as they were', async () => {
      const sequence = open();
      const before = await feed(sequence, words(6, 38));
      const long = words(Math.min(model.config.contextLength, model.limits.maxBatchTokens) - 6, 39);
      const step: Step = { sequence, tokens: long, scored: 'none' };
      await refuses('aborted', () => model.evaluate([step], AbortSignal.abort()));
      await refuses('aborted', () => {
        const controller = new AbortController();
        const evaluation = model.evaluate([step], controller.signal);
        setImmediate(() => controller.abort());
        return evaluation;
      });
      model.truncate(sequence, 5);
      near((await feed(sequence, words(6, 38).slice(5))).logits, before.logits);
    });

    it('evaluates one batch at a time', async () => {
      const [a, b] = [open(), open()];
      const running = model.evaluate([{ sequence: a, tokens: words(8, 40), scored: 'last' }]);
      await assert.rejects(async () => model.evaluate([{ sequence: b, tokens: words(1, 41), scored: 'last' }]));
      assert.throws(() => model.open());
      assert.throws(() => model.truncate(b, 0));
      assert.equal((await running)[0]!.logits.length, 1);
      assert.deepEqual(
        [a, b].map((sequence) => model.length(sequence)),
        [8, 0],
      );
    });

    it('closes after a running evaluation, more than once, and then refuses', async () => {
      const own = await make();
      const sequence = own.open();
      let evaluated = false;
      const step: Step = { sequence, tokens: words(8, 42), scored: 'last' };
      const running = own.evaluate([step]).then((results) => {
        evaluated = results[0]!.logits.length === 1;
      });
      const closing = own.close();
      await Promise.all([running, closing.then(() => assert.ok(evaluated, 'close did not wait'))]);
      await own.close();
      const closed = { name: 'ModelError', code: 'closed' };
      await assert.rejects(async () => own.evaluate([step]), closed);
      assert.throws(() => own.open(), closed);
      assert.throws(() => own.fork(sequence, 0), closed);
    });
  });
}
