/** The part of the contract of `Engine` about adapters. `describeEngine` runs it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GenerateConfig } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { Engine, GenerationEvent } from '../engine.ts';
import type { GreedyCase } from '../tiny-model.fixture.ts';
import type { AdapterFile } from './adapter-file.ts';

type Finished = Extract<GenerationEvent, { type: 'finished' }>;

export interface EngineUnderTest {
  readonly engine: () => Engine;
  /** Those of the model: `TINY_ADAPTERS`. */
  readonly adapters: readonly AdapterFile[];
  readonly cases: () => readonly GreedyCase[];
  readonly configure: (promptLength: number, parameters: Record<string, unknown>) => GenerateConfig;
  readonly all: (prompt: readonly TokenId[], config: GenerateConfig) => Promise<readonly GenerationEvent[]>;
  readonly finished: (prompt: readonly TokenId[], config: GenerateConfig) => Promise<Finished>;
}

export function describeEngineAdapters({ engine, adapters, cases, configure, all, finished }: EngineUnderTest): void {
  const textOf = ({ outcome }: Finished): string => outcome.sequences[0]!.tokens.join(' ');

  it('generates with the adapters of each request, alone and side by side, and shares no prefix across them', async () => {
    const { prompt } = cases()[3]!;
    const sets = [[], [{ name: 'rslora' }], [{ name: 'rslora', scale: 0.5 }], [{ name: 'every-matrix' }]];
    const configs = sets.map((lora) => configure(prompt.length, { max_new_tokens: 24, eos_token_id: -1, lora }));
    const alone: string[] = [];
    for (const config of configs) alone.push(textOf(await finished(prompt, config)));
    assert.equal(new Set(alone).size, sets.length, 'the adapters change the text');
    const together = await Promise.all(configs.map((config) => finished(prompt, config)));
    assert.deepEqual(together.map(textOf), alone);
  });

  it('says of adapters whose numbers overflow that they do, and generates without them meanwhile', async () => {
    const { prompt, tokens } = cases()[3]!;
    const greedy = configure(prompt.length, { max_new_tokens: 64, eos_token_id: -1 });
    // A request may not name such a scale; an adapter may have it in its weights.
    const config = {
      ...configure(prompt.length, { max_new_tokens: 4, eos_token_id: -1 }),
      lora: [{ name: 'every-matrix', scale: 1e30 }],
    };
    const refused = async (): Promise<void> =>
      await assert.rejects(all(prompt, config), {
        code: 'generation_impossible',
        message: /not finite with every-matrix at the scale 1e\+30/,
      });
    const [plain] = await Promise.all([finished(prompt, greedy), refused(), refused()]);
    assert.deepEqual(plain.outcome.sequences[0]?.tokens, tokens);
    await refused();
    assert.deepEqual((await finished(prompt, greedy)).outcome.sequences[0]?.tokens, tokens);
  });

  it('takes and leaves adapters while it generates, and a name that is used again for another file', async () => {
    const { prompt } = cases()[3]!;
    const [everyMatrix, rslora] = adapters;
    const withAdapter = (name: string, tokens = 24): GenerateConfig =>
      configure(prompt.length, { max_new_tokens: tokens, eos_token_id: -1, lora: [{ name }] });
    const texts = new Map<string, string>();
    for (const { name } of adapters) texts.set(name, textOf(await finished(prompt, withAdapter(name))));
    try {
      const underWay = engine().generate({ prompt, config: withAdapter('rslora', 100) });
      const { value: begun } = await underWay[Symbol.asyncIterator]().next();
      assert.equal(begun?.type, 'started');
      const gone = { name: 'gone', path: `${rslora!.path}.gone`, fits: rslora!.fits };
      await engine().setAdapters?.([everyMatrix!, gone]);
      assert.deepEqual(engine().info.adapters, ['every-matrix']);
      await assert.rejects(all(prompt, withAdapter('rslora')), {
        code: 'unknown_adapter',
        message: /expected an adapter of this model, got "rslora": this model has every-matrix/,
      });
      assert.equal(textOf(await finished(prompt, withAdapter('every-matrix'))), texts.get('every-matrix'));
      const tokens: TokenId[] = [];
      for await (const event of underWay) if (event.type === 'tokens') tokens.push(...event.tokens);
      assert.equal(tokens.length, 100);
      assert.equal(tokens.slice(0, 24).join(' '), texts.get('rslora'));
      await engine().setAdapters?.([{ ...everyMatrix!, name: 'rslora', sha256: 'a'.repeat(64) }]);
      assert.equal(textOf(await finished(prompt, withAdapter('rslora'))), texts.get('every-matrix'));
      await engine().setAdapters?.([{ ...rslora!, sha256: 'b'.repeat(64) }]);
      assert.equal(textOf(await finished(prompt, withAdapter('rslora'))), texts.get('rslora'));
    } finally {
      await engine().setAdapters?.(adapters);
    }
    assert.deepEqual(engine().info.adapters, ['every-matrix', 'rslora']);
    for (const [name, text] of texts) assert.equal(textOf(await finished(prompt, withAdapter(name))), text);
  });

  it('refuses an adapter that the model does not have', async () => {
    const config = configure(2, { max_new_tokens: 2, lora: [{ name: 'other' }] });
    await assert.rejects(all([1, 2], config), { name: 'ModelError', code: 'unknown_adapter' });
  });
}
