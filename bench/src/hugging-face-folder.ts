/** Writes a model as a folder that transformers reads, for peers in Python. */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '@gptj-cloud/checkpoint';
import type { GptjConfig } from '@gptj-cloud/model';
import type { TokenizerData } from '@gptj-cloud/tokenizer';

/** `source`: a GGUF file of type f32, so that the peer has the same numbers. `folder` exists. */
export async function writeHuggingFaceFolder(source: string, folder: string): Promise<void> {
  const checkpoint = await openCheckpoint(source);
  try {
    const { data } = await checkpoint.readTokenizer();
    const json = (name: string, value: unknown): Promise<void> => writeFile(join(folder, name), JSON.stringify(value));
    await json('config.json', configJson(checkpoint.config));
    await json('tokenizer.json', tokenizerJson(data));
    await json('tokenizer_config.json', {
      tokenizer_class: 'GPT2TokenizerFast',
      bos_token: '<|endoftext|>',
      eos_token: '<|endoftext|>',
      unk_token: '<|endoftext|>',
      add_prefix_space: false,
      model_max_length: checkpoint.config.contextLength,
    });
    await writeWeights(checkpoint, join(folder, 'model.safetensors'));
  } finally {
    await checkpoint.close();
  }
}

function configJson(config: GptjConfig): unknown {
  return {
    architectures: ['GPTJForCausalLM'],
    model_type: 'gptj',
    activation_function: 'gelu_new',
    vocab_size: config.vocabSize,
    n_positions: config.contextLength,
    n_embd: config.embeddingSize,
    n_layer: config.layerCount,
    n_head: config.headCount,
    n_inner: config.feedForwardSize,
    rotary_dim: config.rotaryDim,
    layer_norm_epsilon: config.layerNormEpsilon,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    tie_word_embeddings: false,
    dtype: 'float32',
  };
}

function tokenizerJson({ tokens, merges, addedTokens, unused }: TokenizerData): unknown {
  const holes = new Set(unused);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens.map(({ singleWord, ...token }) => ({ ...token, single_word: singleWord })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: { ...byteLevel, trim_offsets: false },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.flatMap((token, id) => (holes.has(id) ? [] : [[token, id]]))),
      merges: merges.map((merge) => merge.split(' ')),
    },
  };
}

async function writeWeights(checkpoint: Awaited<ReturnType<typeof openCheckpoint>>, path: string): Promise<void> {
  let offset = 0;
  const entries = checkpoint.tensors.map(({ name, shape, type, sizeBytes }) => {
    if (type !== 'f32') throw new Error(`expected weights of type f32, got ${type} for ${name}`);
    const start = offset;
    offset += sizeBytes;
    return [name, { dtype: 'F32', shape, data_offsets: [start, offset] }] as const;
  });
  const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const header = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  const file = await open(path, 'w');
  try {
    await file.writeFile(Buffer.concat([length, header]));
    for (const { name, sizeBytes } of checkpoint.tensors) {
      const bytes = new Uint8Array(sizeBytes);
      await checkpoint.readRows(name, 0, bytes);
      await file.writeFile(bytes);
    }
  } finally {
    await file.close();
  }
}
