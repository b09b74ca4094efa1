/** Prefixes of requests with adapters, on disk: real models, files and stores. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import type { AdapterFile } from '../adapters/adapter-file.ts';
import type { Engine, GenerationEvent } from '../engine.ts';
import { createEngine } from '../in-process-engine.ts';
import { openModel } from '../open-model.ts';
import { makeTinyAdapters } from '../tiny-adapters.fixture.ts';
import { makeTinyModel } from '../tiny-model.fixture.ts';

const file = await makeTinyModel(128);
const adapters = await makeTinyAdapters(file.path);
const folder = await mkdtemp(join(tmpdir(), 'gptj-adapter-prefixes-'));
after(() => Promise.all([file.remove(), adapters.remove(), rm(folder, { recursive: true })]));

const [EVERY_MATRIX, RSLORA] = adapters.files as readonly [AdapterFile, AdapterFile];
const BEGINNING = Array.from({ length: 80 }, (_, i) => (7 * i) % 380);

type Finished = Extract<GenerationEvent, { type: 'finished' }>;

async function run(engine: Engine, last: number, lora: readonly object[]): Promise<Finished> {
  const prompt = [...BEGINNING, last];
  const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383, promptLength: prompt.length };
  const names = { adapters: engine.info.adapters };
  const parameters = { max_new_tokens: 8, eos_token_id: -1, lora };
  const { config } = parseGenerateParameters(parameters, { ...context, ...names });
  for await (const event of engine.generate({ prompt, config })) if (event.type === 'finished') return event;
  return assert.fail('the generation did not finish');
}

for (const kind of ['kernels', 'llama', 'reference'] as const) {
  test(`the ${kind} engine restores them for the same file and scale, and for nothing else`, async () => {
    const prefixes = join(folder, kind);
    const open = async (files: readonly AdapterFile[]): Promise<Engine> =>
      createEngine(
        await openModel({
          path: file.path,
          kind,
          threads: 1,
          cacheCells: 512,
          adapters: files,
          persistedPrefixes: { folder: prefixes, maxBytes: 1e9 },
        }),
        { onWarning: (message) => assert.fail(message) },
      );
    const stored = { ...RSLORA, sha256: 'a'.repeat(64) };
    const lora = [{ name: 'rslora', scale: 0.5 }];
    const first = await open([stored]);
    const computed = await run(first, 1, lora);
    assert.equal((await run(first, 2, lora)).usage.cachedTokens, 80);
    await first.close();

    const next = await open([stored]);
    const again = await run(next, 1, lora);
    assert.equal(again.usage.cachedTokens, 80);
    assert.deepEqual(again.outcome.sequences[0]?.tokens, computed.outcome.sequences[0]?.tokens);
    for (const other of [[], [{ name: 'rslora' }]]) assert.equal((await run(next, 1, other)).usage.cachedTokens, 0);
    await next.close();

    const replaced = await open([{ ...EVERY_MATRIX, name: 'rslora', sha256: 'b'.repeat(64) }]);
    assert.equal((await run(replaced, 1, lora)).usage.cachedTokens, 0);
    await replaced.close();

    const without = await open([]);
    assert.equal((await run(without, 1, [])).usage.cachedTokens, 0);
    await without.close();
    const back = await open([stored]);
    assert.equal((await run(back, 3, lora)).usage.cachedTokens, 80);
    await back.close();
  });
}
