/** The part of the contract of `LanguageModel` about adapters. `describeLanguageModel` runs it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AdapterUse, LanguageModel, StepResult } from '@gptj-cloud/model';
import { copied, type HeldSequences } from '../held-sequences.fixture.ts';

const use = (name: string, scale = 1): AdapterUse => ({ name, scale });

/** @param model has the adapters of `TINY_ADAPTERS` */
export function describeAdapters(
  model: () => LanguageModel,
  { open, fork, hold, release, tokens, feed, near, farApart, refuses }: HeldSequences,
): void {
  it('gives a sequence its logits beside sequences with other adapters, other scales and none', async () => {
    const uses = [[], [use('rslora')], [use('rslora', -0.5)], [use('rslora', 0.5), use('every-matrix')]] as const;
    const alone: StepResult[] = [];
    for (const adapters of uses) alone.push(await feed(open(adapters), tokens(12, 40), { scored: 'all' }));
    for (const [i, a] of alone.entries()) {
      for (const b of alone.slice(i + 1)) farApart(a.logits[11]!, b.logits[11]!);
    }
    const sequences = uses.map((adapters) => open(adapters));
    for (const [from, to] of [
      [0, 7],
      [7, 8],
      [8, 12],
    ] as const) {
      const results = await model().evaluate(
        sequences.map((sequence) => ({ sequence, tokens: tokens(12, 40).slice(from, to), scored: 'all' })),
      );
      for (const [i, { logits }] of results.map(copied).entries()) near(logits, alone[i]!.logits.slice(from, to));
    }
  });

  it('gives forks and restored sequences the adapters of their source', async () => {
    const adapters = [use('every-matrix', 0.75)];
    const source = open(adapters);
    await feed(source, tokens(10, 41));
    const bytes = model().snapshot(source);
    const expected = await feed(fork(source), tokens(3, 42));
    near((await feed(fork(fork(source)), tokens(3, 42))).logits, expected.logits);
    near((await feed(hold(model().restore(bytes, 10, adapters)), tokens(3, 42))).logits, expected.logits);
    farApart((await feed(hold(model().restore(bytes, 10)), tokens(3, 42))).logits[0]!, expected.logits[0]!);
  });

  it('computes with adapters of scale 0 as without, and with equal ones in any order alike', async () => {
    const [a, b] = [use('every-matrix'), use('rslora', 0.5)];
    near((await feed(open([use('rslora', 0)]), tokens(5, 43))).logits, (await feed(open(), tokens(5, 43))).logits);
    near((await feed(open([a, b]), tokens(5, 43))).logits, (await feed(open([b, a]), tokens(5, 43))).logits);
  });

  it('keeps numbers that overflow to their own sequence, beside it, in its cells and from its forks', async () => {
    // A request may not name such a scale; an adapter may have it in its weights.
    const overflowing = [use('every-matrix', 1e30)];
    const isLost = ({ logits }: StepResult): boolean =>
      logits.every((row) => row.every((value) => Number.isNaN(value)));
    const alone = await feed(open(), tokens(8, 44), { scored: 'all' });
    const adapted = await feed(open([use('rslora')]), tokens(8, 44), { scored: 'all' });
    const [bad, plain, other, twin] = [open(overflowing), open(), open([use('rslora')]), open(overflowing)];
    for (const [from, to] of [
      [0, 5],
      [5, 6],
      [6, 8],
    ] as const) {
      const part = tokens(8, 44).slice(from, to);
      const results = await model().evaluate(
        [bad, plain, other, twin].map((sequence) => ({ sequence, tokens: part, scored: 'all' })),
      );
      const [first, second, third, fourth] = results.map(copied);
      near(second!.logits, alone.logits.slice(from, to));
      near(third!.logits, adapted.logits.slice(from, to));
      assert.ok(isLost(first!) && isLost(fourth!));
      assert.equal(model().length(bad), to);
    }
    assert.ok(isLost(await feed(fork(bad), tokens(2, 45), { scored: 'all' })));
    await model().evaluate([{ sequence: open(overflowing), tokens: tokens(30, 46), scored: 'none' }]);
    release(bad);
    release(twin);
    near((await feed(open(), tokens(8, 44), { scored: 'all' })).logits, alone.logits);
    const abort = new AbortController();
    const steps = [{ sequence: open(overflowing), tokens: tokens(64, 47), scored: 'last' as const }];
    const aborted = model().evaluate(steps, abort.signal);
    abort.abort();
    await assert.rejects(aborted, { code: 'aborted' });
    const many = [open(), open()];
    for (const sequence of many) {
      near((await feed(sequence, tokens(8, 44), { scored: 'all' })).logits, alone.logits);
    }
  });

  it('refuses adapters that it does not have with unknown_adapter, and too many with RangeError', async () => {
    await refuses('unknown_adapter', () => model().open([use('every-matrix'), use('other')]));
    const many = Array.from({ length: 5 }, (_, i) => use(`adapter-${i}`));
    for (const uses of [many, [use('rslora'), use('rslora', 2)], [use('rslora', Number.NaN)]]) {
      assert.throws(() => model().open(uses), RangeError);
    }
  });
}
