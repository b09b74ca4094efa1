import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { GPTJ_6B, type GptjConfig, gptjTensors } from '@gptj-cloud/model';
import { temporaryFolder } from '../reader.contract.ts';
import { encodeWeights } from '../tensor-codec.ts';
import { type FloatType, rowBytes } from '../tensor-type.ts';

/** A small GPT-J that every type can store. */
export const WIDE: GptjConfig = {
  ...GPTJ_6B,
  vocabSize: 280,
  contextLength: 16,
  embeddingSize: 64,
  headCount: 2,
  rotaryDim: 8,
  feedForwardSize: 96,
  layerCount: 2,
  bosTokenId: 276,
  eosTokenId: 276,
  eosTokenIds: [276],
};

/** 256 bytes, twenty pairs of letters, <|endoftext|>, an added token, and two rows without a token. */
function wideTokenizer(): unknown {
  const isPrintable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
  const merges = Array.from('abcdefghijklmnopqrst', (letter) => `${letter} z`);
  const tokens = [...bytes, ...merges.map((merge) => merge.replace(' ', ''))];
  return {
    added_tokens: [
      { id: 276, content: '<|endoftext|>', special: true },
      { id: 277, content: '### End', special: false, rstrip: true },
    ],
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
}

/** A safetensors folder of `WIDE` whose weights are a function of their index. */
export function wideFolder(t: TestContext, type: FloatType = 'f32'): string {
  const folder = join(temporaryFolder(t), 'wide');
  mkdirSync(folder);
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [index, { name, shape }] of gptjTensors(WIDE).entries()) {
    const numbers = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.sin(i + 1000 * index),
    );
    const bytes = new Uint8Array(rowBytes(type, numbers.length));
    encodeWeights(type, numbers, bytes);
    header[name] = { dtype: type.toUpperCase(), shape, data_offsets: [offset, offset + bytes.byteLength] };
    offset += bytes.byteLength;
    parts.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header).padEnd(8 * Math.ceil(JSON.stringify(header).length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, json, ...parts]));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(wideTokenizer()));
  const config = {
    vocab_size: WIDE.vocabSize,
    n_positions: 16,
    n_embd: 64,
    n_layer: 2,
    n_head: 2,
    rotary_dim: 8,
    n_inner: 96,
    bos_token_id: 276,
    eos_token_id: 276,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}
