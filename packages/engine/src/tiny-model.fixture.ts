/** The tiny random GPT-J of `fixtures/` as a GGUF file, for tests that open a model file. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));

export interface GreedyCase {
  readonly prompt: readonly number[];
  readonly tokens: readonly number[];
}

/** Made by fixtures/make_greedy.py with transformers 5.18.0 in float32; the best and the second logit differ by at least 0.02 in every step. */
export async function greedyCases(): Promise<readonly GreedyCase[]> {
  return JSON.parse(await readFile(join(FIXTURES, 'tiny-gptj-greedy.json'), 'utf8'));
}

export interface TinyModelFile {
  /** A float32 GGUF file. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Convert the fixture to a GGUF file in a temporary folder. `contextLength` replaces the fixture's 64 positions. */
export async function makeTinyModel(contextLength = 64): Promise<TinyModelFile> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-tiny-'));
  const golden = JSON.parse(await readFile(join(FIXTURES, 'tiny-gptj.json'), 'utf8'));
  const vocabSize: number = golden.config.vocab_size;
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...golden.config, n_positions: contextLength }));
  await copyFile(join(FIXTURES, 'tiny-gptj.safetensors'), join(folder, 'model.safetensors'));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(byteTokenizer(vocabSize)));
  const path = join(folder, 'tiny.gguf');
  await convertCheckpoint({ source: folder, target: path, type: 'f32' });
  return { path, remove: () => rm(folder, { recursive: true }) };
}

/** A vocabulary of all bytes, pairs of letters up to the size, and EOS as the last entry. */
export function byteTokenizer(vocabSize: number): unknown {
  // GPT-2 spells the printable bytes as themselves and the others as the characters from U+0100 on.
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const tokens = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  const merges: string[] = [];
  for (const first of 'abcdefghijkl') {
    for (const second of 'abcdefghijkl') {
      merges.push(`${first} ${second}`);
      tokens.push(first + second);
    }
  }
  const eos = { id: vocabSize - 1, content: '<|endoftext|>', special: true };
  const kept = tokens.slice(0, vocabSize - 1);
  const vocab = Object.fromEntries([...kept, eos.content].map((token, id) => [token, id]));
  return { model: { type: 'BPE', vocab, merges: merges.slice(0, kept.length - 256) }, added_tokens: [eos] };
}
