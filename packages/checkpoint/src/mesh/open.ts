import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GPTJ_6B, type GptjConfig, ModelError, parseGptjConfig } from '@gptj-cloud/model';
import { readSmallJson } from '../bounded-file.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { readTokenizerFrom, type TokenizerSource } from '../tokenizer-source.ts';
import { TableCheckpoint } from '../weight-table.ts';
import { type MeshLeaves, readMeshLeaves } from './leaves.ts';
import type { ShardSet } from './shard-files.ts';
import { meshWeights } from './weights.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;

/** Open the shards of a checkpoint of mesh-transformer-jax, and close them with it. Throws `CheckpointError`. */
export async function openMeshCheckpoint(
  path: string,
  { files, close, container }: ShardSet,
  tokenizer: TokenizerSource,
): Promise<Checkpoint> {
  try {
    const leaves = await readMeshLeaves(path, files);
    const config = await configOf(path, leaves);
    const { type } = leaves.layers[0]!.q[0]!;
    return new TableCheckpoint({
      format: 'mesh',
      form: `${leaves.isFull ? 'full' : 'slim'}, ${leaves.embedding.length} shards of ${type}${container === null ? '' : `, ${container}`}`,
      path,
      modelName: basename(path).replace(/\.tar(?:\.zstd?)?$/, ''),
      config,
      files: [{ close }],
      weights: await meshWeights(leaves, config),
      warnings: [],
      readTokenizer: () => readTokenizerFrom(path, tokenizer, config.vocabSize),
    });
  } catch (error) {
    await close();
    throw error;
  }
}

/** The sizes that the arrays have, and of those that they do not show, the ones of config.json, else of GPT-J-6B. */
async function configOf(path: string, leaves: MeshLeaves): Promise<GptjConfig> {
  const shards = leaves.embedding.length;
  const sizes = {
    vocab_size: (leaves.embedding[0]!.shape[0] ?? 0) * shards,
    n_embd: leaves.embedding[0]!.shape[1] ?? 0,
    n_layer: leaves.layers.length,
    n_inner: (leaves.layers[0]!.fcInBias[0]!.shape[0] ?? 0) * shards,
  };
  const file = [join(path, 'config.json'), join(dirname(path), 'config.json')].find(existsSync);
  if (file === undefined && sizes.n_embd !== GPTJ_6B.embeddingSize) {
    throw new CheckpointError(
      'not_found',
      { file: path },
      `expected config.json for a model ${sizes.n_embd} wide, whose arrays do not show the number of heads and the rotary dimensions, found none; put the one of the training beside it`,
    );
  }
  try {
    const config = parseGptjConfig({ ...(file === undefined ? {} : await readFields(file)), ...sizes });
    const uneven = [config.vocabSize, config.embeddingSize, config.feedForwardSize].find((size) => size % shards !== 0);
    if (uneven !== undefined)
      throw new ModelError('invalid_config', `expected ${uneven} to divide into ${shards} shards`);
    return config;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new CheckpointError('invalid_config', { file: file ?? path }, error.message, { cause: error });
  }
}

/** Fields of transformers' config.json, or of a configuration of mesh-transformer-jax in their place. */
async function readFields(file: string): Promise<Readonly<Record<string, unknown>>> {
  const json = await readSmallJson(file, MAX_CONFIG_BYTES);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CheckpointError('malformed', { file }, 'expected an object');
  }
  const fields: Readonly<Record<string, unknown>> = { ...json };
  if (fields.d_model === undefined) return fields;
  if ((fields.norm ?? 'layernorm') !== 'layernorm' || (fields.pe ?? 'rotary') !== 'rotary') {
    throw new CheckpointError(
      'unsupported',
      { file },
      `expected norm "layernorm" and pe "rotary", got ${JSON.stringify(fields.norm)} and ${JSON.stringify(fields.pe)}`,
    );
  }
  return { n_head: fields.n_heads, n_positions: fields.seq, rotary_dim: fields.pe_rotary_dims };
}
