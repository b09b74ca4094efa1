/**
 * The contract suite of `LanguageModel`. The test file of every implementation calls `describeLanguageModel` with its
 * model.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LanguageModel, Step, TokenId } from '@gptj-cloud/model';
import { describeAdapters } from './adapters/adapters.contract.ts';
import { copied, holdSequences } from './held-sequences.fixture.ts';

export interface LanguageModelContractOptions {
  /** Maximum change of a logit with the shape of the batch. 0 for an engine whose logits do not depend on it. */
  readonly tolerance: number;
}

/**
 * Run the suite.
 *
 * @param make opens a model with the adapters of `TINY_ADAPTERS`, whose cache holds at least one context and 64 cells; a few contexts keep the suite quick
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
    const sequences = holdSequences(() => model, options.tolerance);
    const { held, open, fork, hold, release, tokens, feed, near, farApart, refuses } = sequences;
    describeAdapters(() => model, sequences);

    it('scores no position, the last one or all of them, as each step requests', async () => {
      const [a, b, c] = [open(), open(), open()];
      const { vocabSize } = model.config;
      const results = await model.evaluate([
        { sequence: a, tokens: tokens(5, 1), scored: 'none' },
        { sequence: b, tokens: tokens(3, 2), scored: 'all' },
        { sequence: c, tokens: tokens(4, 3), scored: 'last' },
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
      const all = await feed(open(), tokens(6, 4), { scored: 'all' });
      near((await feed(open(), tokens(6, 4))).logits, all.logits.slice(-1));
      farApart(all.logits[0]!, all.logits[1]!);
    });

    it('gives a sequence the same logits alone and beside others', async () => {
      const alone = await feed(open(), tokens(12, 5), { scored: 'all' });
      const [a, b, c] = [open(), open(), open()];
      await feed(a, tokens(9, 6));
      const results = await model.evaluate([
        { sequence: a, tokens: tokens(7, 7), scored: 'all' },
        { sequence: b, tokens: tokens(12, 5), scored: 'all' },
        { sequence: c, tokens: tokens(1, 8), scored: 'last' },
      ]);
      near(results[1]!.logits, alone.logits);
    });

    it('restores a snapshot beside other sequences, and forks the restored sequence', async () => {
      const source = open();
      await feed(source, tokens(20, 30));
      const bytes = model.snapshot(source);
      const twin = fork(source);
      const expected = await feed(twin, tokens(3, 31), { scored: 'all' });
      release(source);
      release(twin);
      await feed(open(), tokens(9, 32));
      const restored = hold(model.restore(bytes, 20));
      assert.equal(model.length(restored), 20);
      assert.equal(model.freeCells, model.limits.cacheCells - 29);
      const branch = fork(restored, 20);
      near((await feed(branch, tokens(3, 31), { scored: 'all' })).logits, expected.logits);
      const shorter = fork(restored, 11);
      const again = open();
      await feed(again, tokens(20, 30).slice(0, 11));
      near((await feed(shorter, tokens(2, 33))).logits, (await feed(again, tokens(2, 33))).logits);
    });

    it('snapshots a fork without the later positions of its source', async () => {
      const source = open();
      await feed(source, tokens(20, 34));
      const part = fork(source, 12);
      const bytes = model.snapshot(part);
      const restored = hold(model.restore(bytes, 12));
      assert.equal(model.length(restored), 12);
      const expected = await feed(part, tokens(4, 35));
      near((await feed(restored, tokens(4, 35))).logits, expected.logits);
    });

    it('refuses a snapshot of another length and one that does not fit into the cache', async () => {
      const source = open();
      await feed(source, tokens(20, 36));
      const bytes = model.snapshot(source);
      await refuses('snapshot_invalid', () => model.restore(bytes, 19));
      await refuses('snapshot_invalid', () => model.restore(bytes.subarray(0, bytes.byteLength - 40), 20));
      while (model.freeCells >= 20) hold(model.restore(bytes, 20));
      await refuses('cache_full', () => model.restore(bytes, 20));
    });

    it('gives a prompt evaluated in chunks the logits of one evaluation', async () => {
      const prompt = tokens(24, 9);
      const whole = await feed(open(), prompt, { scored: 'all' });
      for (const size of [1, 7, 23]) {
        const sequence = open();
        const rows: Float32Array[] = [];
        for (let at = 0; at < prompt.length; at += size) {
          rows.push(...(await feed(sequence, prompt.slice(at, at + size), { scored: 'all' })).logits);
        }
        near(rows, whole.logits);
      }
    });

    it('gives a position logits that later positions do not change', async () => {
      const first = await feed(open(), [...tokens(8, 10), ...tokens(8, 11)], { scored: 'all' });
      const second = await feed(open(), [...tokens(8, 10), ...tokens(8, 12)], { scored: 'all' });
      near(second.logits.slice(0, 8), first.logits.slice(0, 8));
      farApart(second.logits[8]!, first.logits[8]!);
    });

    it('gives the same tokens in another order other logits', async () => {
      const [a, b, c] = tokens(3, 13) as [TokenId, TokenId, TokenId];
      const forwards = await feed(open(), [a, b, c]);
      const swapped = await feed(open(), [b, a, c]);
      farApart(forwards.logits[0]!, swapped.logits[0]!);
    });

    it('shares cells between a fork and its source, and computes both independently', async () => {
      const total = model.limits.cacheCells;
      const source = open();
      await feed(source, tokens(16, 14));
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
          { sequence: source, tokens: tokens(3, 15), scored: 'last' },
          { sequence: whole, tokens: tokens(3, 16), scored: 'last' },
          { sequence: part, tokens: tokens(3, 17), scored: 'last' },
          { sequence: empty, tokens: tokens(1, 18), scored: 'none' },
        ])
      ).map(copied);
      assert.equal(model.freeCells, total - 16 - 10);
      near(ofSource!.logits, (await feed(open(), [...tokens(16, 14), ...tokens(3, 15)])).logits);
      near(ofWhole!.logits, (await feed(open(), [...tokens(16, 14), ...tokens(3, 16)])).logits);
      near(ofPart!.logits, (await feed(open(), [...tokens(16, 14).slice(0, 10), ...tokens(3, 17)])).logits);
    });

    it('frees a shared cell when its last sequence is released', async () => {
      const total = model.limits.cacheCells;
      const source = open();
      await feed(source, tokens(16, 19));
      const child = fork(source, 10);
      const grandchild = fork(child);
      model.truncate(source, 4);
      assert.equal(model.freeCells, total - 10);
      release(source);
      release(child);
      assert.equal(model.freeCells, total - 10);
      const next = await feed(grandchild, tokens(2, 20));
      near(next.logits, (await feed(open(), [...tokens(16, 19).slice(0, 10), ...tokens(2, 20)])).logits);
      model.truncate(grandchild, 10);
      release(grandchild);
      assert.equal(model.freeCells, total - 12);
    });

    it('continues a truncated sequence as if the removed positions had never been there', async () => {
      const sequence = open();
      await feed(sequence, tokens(20, 21));
      model.truncate(sequence, 25);
      assert.equal(model.length(sequence), 20, 'truncating to a longer length changes nothing');
      model.truncate(sequence, 8);
      assert.equal(model.length(sequence), 8);
      const again = await feed(sequence, tokens(5, 22), { scored: 'all' });
      const fresh = await feed(open(), [...tokens(20, 21).slice(0, 8), ...tokens(5, 22)], { scored: 'all' });
      near(again.logits, fresh.logits.slice(8));
      model.truncate(sequence, 0);
      near((await feed(sequence, tokens(4, 23))).logits, (await feed(open(), tokens(4, 23))).logits);
    });

    it('returns hidden states of the scored positions on request', async () => {
      const { embeddingSize } = model.config;
      const [a, b, c] = [open(), open(), open()];
      const results = (
        await model.evaluate([
          { sequence: a, tokens: tokens(4, 24), scored: 'all', hidden: true },
          { sequence: b, tokens: tokens(4, 24), scored: 'last' },
          { sequence: c, tokens: tokens(4, 24), scored: 'none', hidden: true },
        ])
      ).map(copied);
      assert.deepEqual(
        results.map((result) => result.hidden.map((row) => row.length)),
        [Array(4).fill(embeddingSize), [], []],
      );
      near(results[1]!.logits, results[0]!.logits.slice(-1));
      farApart(results[0]!.hidden[0]!, results[0]!.hidden[1]!);
      const last = await feed(open(), tokens(4, 24), { hidden: true });
      near(last.hidden, results[0]!.hidden.slice(-1));
      near(last.logits, results[0]!.logits.slice(-1));
    });

    it('returns early-exit logits of the requested layers, or refuses them with unsupported', async () => {
      const sequence = open();
      if (!model.capabilities.earlyExit) {
        await refuses('unsupported', () => feed(sequence, tokens(3, 25), { layers: [0] }));
        return;
      }
      const { layerCount, vocabSize } = model.config;
      const layers = [layerCount - 1, 0];
      const result = await feed(sequence, tokens(3, 25), { scored: 'all', layers });
      assert.deepEqual(
        result.layers.map((rows) => rows.map((row) => row.length)),
        layers.map(() => Array(3).fill(vocabSize)),
      );
      near(result.logits, (await feed(open(), tokens(3, 25), { scored: 'all' })).logits);
      const lone = await feed(open(), tokens(3, 25).slice(2), { layers: [0] });
      near(lone.layers[0]!, result.layers[1]!.slice(2));
      farApart(result.layers[0]![2]!, result.layers[1]![2]!);
      for (const layer of [-1, layerCount, 0.5]) {
        await refuses('unsupported', () => feed(sequence, tokens(1, 25), { layers: [layer] }));
      }
    });

    it('refuses a sequence longer than the context with context_full', async () => {
      const sequence = open();
      await feed(sequence, tokens(2, 26));
      const { contextLength } = model.config;
      await refuses('context_full', () => feed(sequence, tokens(contextLength - 1, 27), { scored: 'none' }));
    });

    it('refuses a batch larger than its limit with batch_too_large', async () => {
      const { contextLength } = model.config;
      const steps: Step[] = [];
      for (let left = model.limits.maxBatchTokens + 1; left > 0; left -= contextLength) {
        steps.push({ sequence: open(), tokens: tokens(Math.min(left, contextLength), 28), scored: 'none' });
      }
      await refuses('batch_too_large', () => model.evaluate(steps));
    });

    it('refuses steps that need more cells than are free with cache_full', async () => {
      const { contextLength } = model.config;
      const max = Math.min(contextLength, model.limits.maxBatchTokens);
      while (model.freeCells >= max) await feed(open(), tokens(max, 29), { scored: 'none' });
      const small = open();
      const steps = [{ sequence: small, tokens: tokens(1, 30), scored: 'none' as const }];
      if (model.freeCells > 0) steps.push({ sequence: open(), tokens: tokens(model.freeCells, 31), scored: 'none' });
      await refuses('cache_full', () => model.evaluate(steps));
      for (const sequence of [...held]) if (sequence !== small) release(sequence);
      near((await feed(small, tokens(4, 32))).logits, (await feed(open(), tokens(4, 32))).logits);
    });

    it('refuses to open or fork more sequences than its limit with too_many_sequences', async () => {
      const first = open();
      await feed(first, tokens(1, 33));
      while (held.size < model.limits.maxSequences) open();
      await refuses('too_many_sequences', () => model.open());
      await refuses('too_many_sequences', () => model.fork(first));
      release([...held].at(-1)!);
      assert.equal(model.length(fork(first)), 1);
    });

    it('refuses a sequence that is not open with unknown_sequence', async () => {
      const beside: Step = { sequence: open(), tokens: tokens(2, 34), scored: 'none' };
      const sequence = open();
      await feed(sequence, tokens(3, 35));
      release(sequence);
      for (const unknown of [sequence, -1, 1e6]) {
        await refuses('unknown_sequence', () => model.length(unknown));
        await refuses('unknown_sequence', () => model.fork(unknown, 0));
        await refuses('unknown_sequence', () => model.truncate(unknown, 0));
        await refuses('unknown_sequence', () => model.release(unknown));
        await refuses('unknown_sequence', () => model.evaluate([beside, { ...beside, sequence: unknown }]));
      }
    });

    it('throws RangeError for invalid steps and lengths before anything changes', async () => {
      const sequence = open();
      await feed(sequence, tokens(3, 36));
      const free = model.freeCells;
      const step: Step = { sequence, tokens: tokens(2, 37), scored: 'last' };
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

    it('aborts before and during an evaluation, and leaves the sequences unchanged', async () => {
      const sequence = open();
      const before = await feed(sequence, tokens(6, 38));
      const long = tokens(Math.min(model.config.contextLength, model.limits.maxBatchTokens) - 6, 39);
      const step: Step = { sequence, tokens: long, scored: 'none' };
      await refuses('aborted', () => model.evaluate([step], AbortSignal.abort()));
      await refuses('aborted', () => {
        const controller = new AbortController();
        const evaluation = model.evaluate([step], controller.signal);
        // A later turn of the event loop may come after the end of a fast evaluation.
        controller.abort();
        return evaluation;
      });
      model.truncate(sequence, 5);
      near((await feed(sequence, tokens(6, 38).slice(5))).logits, before.logits);
    });

    it('refuses calls during an evaluation', async () => {
      const [a, b] = [open(), open()];
      const running = model.evaluate([{ sequence: a, tokens: tokens(8, 40), scored: 'last' }]);
      await assert.rejects(async () => model.evaluate([{ sequence: b, tokens: tokens(1, 41), scored: 'last' }]));
      assert.throws(() => model.open());
      assert.throws(() => model.truncate(b, 0));
      assert.equal((await running)[0]!.logits.length, 1);
      assert.deepEqual(
        [a, b].map((sequence) => model.length(sequence)),
        [8, 0],
      );
    });

    it('closes after a running evaluation, returns one promise from every close, and then refuses with closed', async () => {
      const own = await make();
      const sequence = own.open();
      let evaluated = false;
      const step: Step = { sequence, tokens: tokens(8, 42), scored: 'last' };
      const running = own.evaluate([step]).then((results) => {
        evaluated = results[0]!.logits.length === 1;
      });
      const closing = own.close();
      await Promise.all([running, closing.then(() => assert.ok(evaluated, 'close did not wait'))]);
      assert.equal(own.close(), closing);
      const closed = { name: 'ModelError', code: 'closed' };
      await assert.rejects(async () => own.evaluate([step]), closed);
      assert.throws(() => own.open(), closed);
      assert.throws(() => own.fork(sequence, 0), closed);
    });
  });
}
