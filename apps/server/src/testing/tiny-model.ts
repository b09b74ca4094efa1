/** The tiny random GPT-J of the engine's fixtures on the reference engine, for tests of exact numbers. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';
import { createEngine, type Engine, openModel } from '@gptj-cloud/engine';
import { createParameterReader } from '../generation/parameter-parser.ts';
import type { TextModel } from '../generation/text-model.ts';

const FIXTURES = fileURLToPath(new URL('../../../../packages/engine/fixtures/', import.meta.url));

const LETTERS = 'abcdefghijkl';

/** 384 tokens: all bytes, pairs of letters, and 383 for the end of text. 128 positions. */
export interface TinyModel {
  readonly engine: Engine;
  readonly model: TextModel;
  close(): Promise<void>;
}

/** Write it as a Hugging Face folder. */
export async function writeTinyFolder(folder: string): Promise<void> {
  const { config } = JSON.parse(await readFile(join(FIXTURES, 'tiny-gptj.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, n_positions: 128 }));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(pairTokenizer(config.vocab_size)));
  await copyFile(join(FIXTURES, 'tiny-gptj.safetensors'), join(folder, 'model.safetensors'));
}

export async function openTinyModel(): Promise<TinyModel> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-server-tiny-'));
  try {
    await writeTinyFolder(folder);
    const path = join(folder, 'tiny.gguf');
    await convertCheckpoint({ source: folder, target: path, type: 'f32' });
    const opened = await openModel({ path, kind: 'reference', cacheCells: 2048 });
    const engine = createEngine(opened);
    const { tokenizer } = opened;
    const { info } = engine;
    const readParameters = createParameterReader(info, tokenizer);
    return { engine, model: { info, tokenizer, readParameters }, close: () => engine.close() };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A tokenizer.json of all bytes, pairs of letters as far as the vocabulary goes, and the end of text as last entry. */
function pairTokenizer(vocabSize: number): unknown {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let stand = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : stand++));
  const pairs = [...LETTERS].flatMap((first) => [...LETTERS].map((second) => [first, second] as const));
  const kept = pairs.slice(0, vocabSize - 1 - bytes.length);
  const eos = { id: vocabSize - 1, content: '<|endoftext|>', special: true };
  const tokens = [...bytes, ...kept.map((pair) => pair.join('')), eos.content];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return { model: { type: 'BPE', vocab, merges: kept.map((pair) => pair.join(' ')) }, added_tokens: [eos] };
}
