/** The adapters of `fixtures/adapters` for the tiny random GPT-J, as stored files, and what PEFT computes with them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertAdapter, fitOf, openGgufWeights } from '@gptj-cloud/checkpoint';
import type { AdapterUse } from '@gptj-cloud/model';
import type { AdapterFile } from './adapters/adapter-file.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/adapters/', import.meta.url));

/** Rank 4 and 17 on all six matrices, and rank 8 with rslora on q and v. */
export const TINY_ADAPTERS = ['every-matrix', 'rslora'] as const;

export interface TinyAdapters {
  readonly files: readonly AdapterFile[];
  remove(): Promise<void>;
}

/** Convert the adapters for the model of a GGUF file. */
export async function makeTinyAdapters(model: string): Promise<TinyAdapters> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-adapters-'));
  const weights = await openGgufWeights(model);
  await weights.close();
  const files = TINY_ADAPTERS.map((name) => ({
    name,
    path: join(folder, `${name}.gguf`),
    fits: fitOf(weights.config),
  }));
  for (const { name, path } of files) {
    await convertAdapter({ source: join(FIXTURES, name), target: path, name, config: weights.config });
  }
  return { files, remove: () => rm(folder, { recursive: true }) };
}

/** Made by fixtures/make_adapters.py with PEFT 0.21.0 in float32. */
export interface AdapterGoldens {
  readonly prompt: readonly number[];
  readonly cases: readonly {
    readonly lora: readonly AdapterUse[];
    /** Of the last positions of the prompt, one after another. */
    readonly logits: Float32Array;
  }[];
}

export async function adapterGoldens(): Promise<AdapterGoldens> {
  const { prompt, cases } = JSON.parse(await readFile(join(FIXTURES, 'tiny-adapters.json'), 'utf8'));
  return {
    prompt,
    cases: cases.map(({ lora, logits }: { readonly lora: readonly AdapterUse[]; readonly logits: string }) => ({
      lora,
      logits: new Float32Array(Uint8Array.from(Buffer.from(logits, 'base64')).buffer),
    })),
  };
}
