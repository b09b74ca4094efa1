import { type GptjConfig, gptjTensors } from '@gptj-cloud/model';
import { CheckpointError } from './checkpoint-error.ts';
import type { StoredTensor } from './stored-tensor.ts';
import type { FloatType } from './tensor-type.ts';

/** A stored tensor that is a weight of the model. */
export interface MatchedTensor<Stored extends StoredTensor> {
  /** Name of the model room's table. */
  readonly name: string;
  readonly type: FloatType;
  readonly stored: Stored;
}

const PREFIX = 'transformer.';

/** Causal masks and rotary tables that old checkpoints save beside the weights; they follow from the config. */
const BUFFER = /\.attn\.(bias|masked_bias|embed_positions|rotary_emb\.inv_freq)$/;

/**
 * Find every tensor of the model in what the files hold, with or without the `transformer.` prefix, in the table's
 * order. Throws `missing_tensor`, `wrong_shape`, `wrong_type`, `duplicate_tensor` (stored under both names), and
 * `unexpected_tensor` for a weight that GPT-J does not have: leaving it out would compute another model.
 */
export function matchTensors<Stored extends StoredTensor>(
  path: string,
  config: GptjConfig,
  stored: readonly Stored[],
): readonly MatchedTensor<Stored>[] {
  const byName = new Map<string, Stored>();
  for (const tensor of stored) {
    const name = tensor.name.startsWith(PREFIX) ? tensor.name.slice(PREFIX.length) : tensor.name;
    const other = byName.get(name);
    if (other !== undefined) {
      throw new CheckpointError(
        'duplicate_tensor',
        { file: path, tensor: tensor.name },
        `expected one tensor of this name, got two${other.name === tensor.name ? '' : ` (also ${other.name})`}`,
      );
    }
    byName.set(name, tensor);
  }
  const matched = gptjTensors(config).map(({ name, shape }) => {
    const place = { file: path, tensor: name };
    const key = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
    const tensor = byName.get(key);
    if (tensor === undefined) {
      throw new CheckpointError('missing_tensor', place, `expected shape [${shape}], got no such tensor`);
    }
    byName.delete(key);
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
      throw new CheckpointError('wrong_shape', place, `expected [${shape}] from config.json, got [${tensor.shape}]`);
    }
    if (tensor.type === null) {
      throw new CheckpointError('wrong_type', place, `expected float32, float16 or bfloat16, got ${tensor.storedType}`);
    }
    return { name, type: tensor.type, stored: tensor };
  });
  for (const tensor of byName.values()) {
    if (!BUFFER.test(tensor.name)) {
      throw new CheckpointError(
        'unexpected_tensor',
        { file: path, tensor: tensor.name },
        `expected only the weights of a GPT-J of ${config.layerCount} layers, got a tensor of shape [${tensor.shape}] more`,
      );
    }
  }
  return matched;
}
