import type { GptjConfig } from './gptj-config.ts';

/** One tensor of a GPT-J checkpoint. */
export interface TensorSpec {
  /** Name in a Hugging Face checkpoint. */
  readonly name: string;
  /** Name in a GGUF file of the phi2 export. */
  readonly ggufName: string;
  /** Row-major shape: a linear layer is [out, in], as PyTorch stores it. */
  readonly shape: readonly number[];
}

/**
 * Every tensor that a checkpoint must have, in file order. Attention has no biases in GPT-J; the fused buffers that old
 * checkpoints carry (`attn.bias`, `attn.masked_bias`) are not weights and are not listed.
 */
export function gptjTensors(config: GptjConfig): readonly TensorSpec[] {
  const { vocabSize: v, embeddingSize: d, feedForwardSize: f, layerCount } = config;
  const tensors: TensorSpec[] = [{ name: 'transformer.wte.weight', ggufName: 'token_embd.weight', shape: [v, d] }];
  for (let layer = 0; layer < layerCount; layer++) {
    const hf = `transformer.h.${layer}`;
    const gguf = `blk.${layer}`;
    tensors.push(
      { name: `${hf}.ln_1.weight`, ggufName: `${gguf}.attn_norm.weight`, shape: [d] },
      { name: `${hf}.ln_1.bias`, ggufName: `${gguf}.attn_norm.bias`, shape: [d] },
      { name: `${hf}.attn.q_proj.weight`, ggufName: `${gguf}.attn_q.weight`, shape: [d, d] },
      { name: `${hf}.attn.k_proj.weight`, ggufName: `${gguf}.attn_k.weight`, shape: [d, d] },
      { name: `${hf}.attn.v_proj.weight`, ggufName: `${gguf}.attn_v.weight`, shape: [d, d] },
      { name: `${hf}.attn.out_proj.weight`, ggufName: `${gguf}.attn_output.weight`, shape: [d, d] },
      { name: `${hf}.mlp.fc_in.weight`, ggufName: `${gguf}.ffn_up.weight`, shape: [f, d] },
      { name: `${hf}.mlp.fc_in.bias`, ggufName: `${gguf}.ffn_up.bias`, shape: [f] },
      { name: `${hf}.mlp.fc_out.weight`, ggufName: `${gguf}.ffn_down.weight`, shape: [d, f] },
      { name: `${hf}.mlp.fc_out.bias`, ggufName: `${gguf}.ffn_down.bias`, shape: [d] },
    );
  }
  tensors.push(
    { name: 'transformer.ln_f.weight', ggufName: 'output_norm.weight', shape: [d] },
    { name: 'transformer.ln_f.bias', ggufName: 'output_norm.bias', shape: [d] },
    { name: 'lm_head.weight', ggufName: 'output.weight', shape: [v, d] },
    { name: 'lm_head.bias', ggufName: 'output.bias', shape: [v] },
  );
  return tensors;
}

/** Total number of weights over all tensors. */
export function parameterCount(config: GptjConfig): number {
  return gptjTensors(config).reduce((sum, tensor) => sum + tensor.shape.reduce((a, b) => a * b, 1), 0);
}
