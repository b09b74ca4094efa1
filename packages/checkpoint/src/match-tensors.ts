import { type GptjConfig, gptjTensors } from '@gptj-cloud/model';
import { CheckpointError } from './checkpoint-error.ts';
import { foreignArchitecture } from './foreign-architecture.ts';
import type { StoredFloatType, StoredTensor } from './stored-tensor.ts';

/** A stored tensor that is a weight of the model. */
export interface MatchedTensor<Stored extends StoredTensor> {
  /** Name in the table of `@gptj-cloud/model`. */
  readonly name: string;
  readonly stored: Stored & { readonly type: StoredFloatType };
}

export interface MatchResult<Stored extends StoredTensor> {
  /** In the table's order. */
  readonly weights: readonly MatchedTensor<Stored>[];
  /** Names in the file of entries that are not weights of GPT-J, except the masks of old checkpoints. */
  readonly ignored: readonly string[];
}

const PREFIX = 'transformer.';
const EMBEDDING = 'wte.weight';
const HEAD = 'lm_head.weight';

/** Causal masks and rotary tables of old checkpoints. They are derived from the config; transformers drops them silently. */
const KNOWN_BUFFER = /(?:^|\.)h\.\d+\.attn\.(?:bias|masked_bias|embed_positions|rotary_emb\.inv_freq)$/;

/**
 * Match every weight of the model with an entry of the files, with or without the `transformer.` prefix. Other entries
 * are ignored, as in transformers.
 *
 * Throws `unsupported` for the names of another architecture, `missing_tensor`, `wrong_shape`, `wrong_type`, and `duplicate_tensor` for a weight stored under both names.
 *
 * @param isTied whether embedding and head may share one stored tensor (`tie_word_embeddings`)
 * @param isPart whether other files have the weights that are missing here
 */
export function matchTensors<Stored extends StoredTensor>(
  path: string,
  config: GptjConfig,
  stored: readonly Stored[],
  isTied: boolean,
  isPart = false,
): MatchResult<Stored> {
  const byKey = new Map<string, Stored[]>();
  for (const tensor of stored) {
    const key = keyOf(tensor.name);
    byKey.set(key, [...(byKey.get(key) ?? []), tensor]);
  }
  const used = new Set<Stored>();
  const find = (key: string): Stored | undefined => {
    const [tensor, other] = byKey.get(key) ?? [];
    if (tensor !== undefined && other !== undefined) {
      throw new CheckpointError(
        'duplicate_tensor',
        { file: path, tensor: other.name },
        `expected one tensor of this name, got two${other.name === tensor.name ? '' : ` (also ${tensor.name})`}`,
      );
    }
    return tensor;
  };
  const weights = gptjTensors(config).flatMap(({ name, shape }) => {
    const place = { file: path, tensor: name };
    const key = keyOf(name);
    const twin = isTied && (key === HEAD || key === EMBEDDING) ? find(key === HEAD ? EMBEDDING : HEAD) : undefined;
    const tensor = find(key) ?? twin;
    if (tensor === undefined) {
      const foreign = foreignArchitecture(stored.map((other) => other.name));
      if (foreign !== null) {
        throw new CheckpointError('unsupported', { file: path }, `expected the weights of a GPT-J, got ${foreign}`);
      }
      if (isPart) return [];
      throw new CheckpointError('missing_tensor', place, `expected shape [${shape}], got no such tensor`);
    }
    used.add(tensor);
    if (!isFloat(tensor)) {
      throw new CheckpointError(
        'wrong_type',
        place,
        `expected float64, float32, float16 or bfloat16, got ${tensor.storedType}`,
      );
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
      throw new CheckpointError('wrong_shape', place, `expected [${shape}] from config.json, got [${tensor.shape}]`);
    }
    return [{ name, stored: tensor }];
  });
  const ignored = stored.filter((tensor) => !used.has(tensor) && !KNOWN_BUFFER.test(tensor.name));
  return { weights, ignored: ignored.map(({ name }) => name) };
}

function keyOf(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

function isFloat<Stored extends StoredTensor>(tensor: Stored): tensor is Stored & { readonly type: StoredFloatType } {
  return tensor.type !== null;
}
