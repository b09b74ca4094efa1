import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine, type Engine, openModel } from '@gptj-cloud/engine';
import type { Tokenizer } from '@gptj-cloud/tokenizer';

/** The model that ships with the project. */
export const NANO_PATH: string = fileURLToPath(
  new URL('../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url),
);

export interface OpenedModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
}

/** Open a model file in this process. The caller closes the engine. */
export async function openFile(path: string): Promise<OpenedModel> {
  const opened = await openModel({ path, kind: 'kernels', threads: 1, cacheCells: 4096 });
  return { engine: createEngine(opened), tokenizer: opened.tokenizer };
}

/** A copy of the nano model whose rotary embedding turns other dimensions. */
export async function writeRotatedModel(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const bytes = await readFile(NANO_PATH);
  for (const key of ['phi2.rope.dimension_count', 'gptj.rotary_dim']) {
    // A value of 4 bytes after its type.
    const at = bytes.indexOf(key) + key.length + 4;
    bytes.writeUInt32LE(bytes.readUInt32LE(at) / 2, at);
  }
  const folder = await mkdtemp(join(tmpdir(), 'gptj-rotated-'));
  const path = join(folder, 'rotated.gguf');
  await writeFile(path, bytes);
  return { path, remove: () => rm(folder, { recursive: true }) };
}
