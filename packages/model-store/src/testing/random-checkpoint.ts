/** A GPT-J with random weights as the files of a repository, for tests and trials. */
import { createHash } from 'node:crypto';
import { GPTJ_6B, type GptjConfig, gptjTensors } from '@gptj-cloud/model';

export interface RandomCheckpointOptions {
  readonly layerCount?: number;
  /** A multiple of 64. */
  readonly embeddingSize?: number;
  /** Number of files of the weights. Default 1. */
  readonly shards?: number;
}

const VOCABULARY = 320;

/** Names and contents, with files of other frameworks that a pull must leave out. The same for the same options. */
export function randomCheckpoint(options: RandomCheckpointOptions = {}): Map<string, Uint8Array> {
  const { layerCount = 2, embeddingSize = 64, shards = 1 } = options;
  const config: GptjConfig = {
    ...GPTJ_6B,
    layerCount,
    embeddingSize,
    headCount: embeddingSize / 32,
    feedForwardSize: 4 * embeddingSize,
    rotaryDim: 16,
    contextLength: 128,
    vocabSize: VOCABULARY,
  };
  return new Map<string, Uint8Array>([
    ['config.json', json(configJson(config))],
    ['tokenizer.json', json(byteTokenizer())],
    ['README.md', Buffer.from('# random')],
    ['flax_model.msgpack', new Uint8Array(4096)],
    ['tf_model.h5', new Uint8Array(4096)],
    ['rust_model.ot', new Uint8Array(4096)],
    ...weightFiles(config, shards),
  ]);
}

function configJson(config: GptjConfig): unknown {
  return {
    model_type: 'gptj',
    vocab_size: config.vocabSize,
    n_positions: config.contextLength,
    n_embd: config.embeddingSize,
    n_layer: config.layerCount,
    n_head: config.headCount,
    n_inner: config.feedForwardSize,
    rotary_dim: config.rotaryDim,
    bos_token_id: 256,
    eos_token_id: 256,
  };
}

/** One token a byte, and the end of text. */
function byteTokenizer(): unknown {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  return {
    added_tokens: [{ id: 256, content: '<|endoftext|>', special: true }],
    model: { type: 'BPE', vocab: Object.fromEntries(bytes.map((token, id) => [token, id])), merges: [] },
  };
}

function weightFiles(config: GptjConfig, count: number): readonly (readonly [string, Uint8Array])[] {
  const tensors = gptjTensors(config);
  const perFile = Math.ceil(tensors.length / count);
  const files = Array.from({ length: count }, (_, at) => {
    const name = count === 1 ? 'model.safetensors' : `model-0000${at + 1}-of-0000${count}.safetensors`;
    return { name, tensors: tensors.slice(at * perFile, (at + 1) * perFile) };
  });
  const weightMap = Object.fromEntries(files.flatMap((file) => file.tensors.map((tensor) => [tensor.name, file.name])));
  return [
    ...(count === 1 ? [] : [['model.safetensors.index.json', json({ metadata: {}, weight_map: weightMap })] as const]),
    ...files.map((file) => [file.name, safetensors(file.tensors)] as const),
  ];
}

function safetensors(tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]): Uint8Array {
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = offset;
    offset += 2 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: 'F16', shape, data_offsets: [start, offset] }];
  });
  const header = JSON.stringify(Object.fromEntries(entries));
  const padded = Buffer.from(header.padEnd(8 * Math.ceil(header.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.byteLength));
  return Buffer.concat([length, padded, randomHalves(offset, tensors[0]!.name)]);
}

/** Float16 numbers of a magnitude of about 0.04. */
function randomHalves(sizeBytes: number, seed: string): Uint8Array {
  const bytes = randomBytesOf(sizeBytes, seed);
  const halves = new Uint16Array(bytes.buffer);
  for (let i = 0; i < halves.length; i++) halves[i] = (halves[i]! & 0x83ff) | 0x2800;
  return bytes;
}

/** Bytes that follow from the seed. */
export function randomBytesOf(sizeBytes: number, seed: string): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: sizeBytes }).update(seed).digest());
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
