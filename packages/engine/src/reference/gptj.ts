/**
 * GPT-J, written to be read top to bottom.
 *
 * Three separate structures: the shape of the model (`GptjConfig`), its learned weights (`GptjWeights`), and its state
 * while it runs (`GptjState`). `forward` takes one token through the network.
 *
 * Letters in the shapes
 *   v  vocabulary      d  embedding size      f  feed-forward size      c  cells of the KV cache
 *   h  heads           s = d / h, size of one head                      r  rotary dimensions, the first r of each s
 *
 * All matrices are row-major [out, in], so that y = W x is one dot product per row. Numbers are stored as float32 and
 * summed as float64, JavaScript's number type.
 */
import {
  type AdapterLayer,
  type GptjConfig,
  gptjTensors,
  type LowRank,
  ModelError,
  type TokenId,
} from '@gptj-cloud/model';

// -------------------------------------------------------------------------------------------------------- weights

/** One block. Attention has no biases in GPT-J, and there is a single layer norm. */
interface BlockWeights {
  readonly ln1Weight: Float32Array; // (d)
  readonly ln1Bias: Float32Array; // (d)
  readonly query: Float32Array; // (d, d)
  readonly key: Float32Array; // (d, d)
  readonly value: Float32Array; // (d, d)
  readonly attentionOut: Float32Array; // (d, d)
  readonly mlpIn: Float32Array; // (f, d)
  readonly mlpInBias: Float32Array; // (f)
  readonly mlpOut: Float32Array; // (d, f)
  readonly mlpOutBias: Float32Array; // (d)
}

export interface GptjWeights {
  readonly embedding: Float32Array; // (v, d)
  readonly blocks: readonly BlockWeights[];
  readonly lnFinalWeight: Float32Array; // (d)
  readonly lnFinalBias: Float32Array; // (d)
  readonly head: Float32Array; // (v, d), not tied to the embedding
  readonly headBias: Float32Array; // (v)
}

/** A source of weights: tensors by their Hugging Face names, in Hugging Face's row order, as float32. */
export interface WeightSource {
  readonly config: GptjConfig;
  tensor(name: string): Promise<Float32Array>;
}

/** Read all weights. Throws `model_file_invalid` for a tensor whose size does not match the config. */
export async function readWeights(source: WeightSource): Promise<GptjWeights> {
  const tensors = new Map<string, Float32Array>();
  for (const { name, shape } of gptjTensors(source.config)) {
    const tensor = await source.tensor(name);
    const count = shape.reduce((product, length) => product * length, 1);
    if (tensor.length !== count) {
      throw new ModelError(
        'model_file_invalid',
        `${name}: expected ${count} values (${shape.join(' × ')}), got ${tensor.length}`,
      );
    }
    tensors.set(name, tensor);
  }
  const get = (name: string): Float32Array => tensors.get(name)!;
  return {
    embedding: get('transformer.wte.weight'),
    blocks: Array.from({ length: source.config.layerCount }, (_, layer) => {
      const of = (name: string): Float32Array => get(`transformer.h.${layer}.${name}`);
      return {
        ln1Weight: of('ln_1.weight'),
        ln1Bias: of('ln_1.bias'),
        query: of('attn.q_proj.weight'),
        key: of('attn.k_proj.weight'),
        value: of('attn.v_proj.weight'),
        attentionOut: of('attn.out_proj.weight'),
        mlpIn: of('mlp.fc_in.weight'),
        mlpInBias: of('mlp.fc_in.bias'),
        mlpOut: of('mlp.fc_out.weight'),
        mlpOutBias: of('mlp.fc_out.bias'),
      };
    }),
    lnFinalWeight: get('transformer.ln_f.weight'),
    lnFinalBias: get('transformer.ln_f.bias'),
    head: get('lm_head.weight'),
    headBias: get('lm_head.bias'),
  };
}

// ---------------------------------------------------------------------------------------------------------- state

export interface GptjState {
  /** Keys and values of every cell, one array per layer: the KV cache. */
  readonly keys: readonly Float32Array[]; // layers × (c, d)
  readonly values: readonly Float32Array[]; // layers × (c, d)
  /** The residual stream of the current token. */
  readonly x: Float32Array; // (d)
  readonly normed: Float32Array; // (d)
  readonly q: Float32Array; // (d)
  readonly k: Float32Array; // (d)
  readonly v: Float32Array; // (d)
  readonly scores: Float32Array; // (context length), of one head
  readonly attended: Float32Array; // (d)
  readonly attentionOut: Float32Array; // (d)
  readonly mlpHidden: Float32Array; // (f)
  readonly mlpOut: Float32Array; // (d)
}

/** Memory for one token's activations and for `cells` cached positions: 2 × layers × d floats a cell. */
export function createState(config: GptjConfig, cells: number): GptjState {
  const { embeddingSize: d, feedForwardSize: f, layerCount, contextLength } = config;
  const cache = (): Float32Array[] => Array.from({ length: layerCount }, () => new Float32Array(cells * d));
  const row = (): Float32Array => new Float32Array(d);
  return {
    keys: cache(),
    values: cache(),
    x: row(),
    normed: row(),
    q: row(),
    k: row(),
    v: row(),
    scores: new Float32Array(contextLength),
    attended: row(),
    attentionOut: row(),
    mlpHidden: new Float32Array(f),
    mlpOut: row(),
  };
}

// -------------------------------------------------------------------------------------------------------- functions

/** LayerNorm(x) = (x − mean) / √(variance + ε) · weight + bias. */
function layerNorm(
  out: Float32Array,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  epsilon: number,
): void {
  const n = x.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += x[i]!;
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (x[i]! - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / n + epsilon);
  for (let i = 0; i < n; i++) out[i] = (x[i]! - mean) * scale * weight[i]! + bias[i]!;
}

/**
 * out = W x + bias. Most of the time is spent here. Four rows at a time: x is read once for the four, and the processor
 * computes four independent sums instead of waiting for one.
 */
function matmul(out: Float32Array, W: Float32Array, x: Float32Array, bias: Float32Array | null): void {
  const rows = out.length;
  const n = x.length;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const w0 = row * n;
    const w1 = w0 + n;
    const w2 = w1 + n;
    const w3 = w2 + n;
    let y0 = 0;
    let y1 = 0;
    let y2 = 0;
    let y3 = 0;
    for (let i = 0; i < n; i++) {
      const xi = x[i]!;
      y0 += W[w0 + i]! * xi;
      y1 += W[w1 + i]! * xi;
      y2 += W[w2 + i]! * xi;
      y3 += W[w3 + i]! * xi;
    }
    out[row] = y0;
    out[row + 1] = y1;
    out[row + 2] = y2;
    out[row + 3] = y3;
  }
  for (; row < rows; row++) {
    let y = 0;
    for (let i = 0; i < n; i++) y += W[row * n + i]! * x[i]!;
    out[row] = y;
  }
  if (bias !== null) for (let i = 0; i < rows; i++) out[i] = out[i]! + bias[i]!;
}

/** out += scale · up (down x), for every adapter: what LoRA adds to W x. */
function adapt(out: Float32Array, x: Float32Array, uses: readonly Adding[]): void {
  for (const { matrix, scale } of uses) {
    const { rank, down, up } = matrix; // (rank, x), (out, rank)
    const low = new Float32Array(rank);
    matmul(low, down, x, null);
    for (let row = 0; row < out.length; row++) {
      let y = 0;
      for (let k = 0; k < rank; k++) y += up[row * rank + k]! * low[k]!;
      out[row] = out[row]! + scale * y;
    }
  }
}

/** One matrix of an adapter at the scale of its sequence. */
interface Adding {
  readonly matrix: LowRank;
  readonly scale: number;
}

/** An adapter, layer by layer, rows in GPT-J's order, and its scale. */
export interface AdapterInUse {
  readonly adapter: readonly AdapterLayer[];
  readonly scale: number;
}

/**
 * Rotary position embedding, in place: in each head the pair (x₂ᵢ, x₂ᵢ₊₁), for 2i < r, is rotated by the angle
 * position · 10000^(−2i/r). Pairs are interleaved in GPT-J (many later models pair i with i + r/2). The other dimensions
 * of the head are unchanged. Angles are rounded to float32 where transformers rounds them.
 */
function rotate(x: Float32Array, position: number, config: GptjConfig): void {
  const { headCount, rotaryDim } = config;
  const headSize = x.length / headCount;
  for (let i = 0; i < rotaryDim; i += 2) {
    const frequency = Math.fround(1 / Math.fround(10000 ** Math.fround(i / rotaryDim)));
    const angle = Math.fround(position * frequency);
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    for (let at = i; at < x.length; at += headSize) {
      const even = x[at]!;
      const odd = x[at + 1]!;
      x[at] = even * cos - odd * sin;
      x[at + 1] = odd * cos + even * sin;
    }
  }
}

/** x ← eˣ / Σ eˣ over the first n; the maximum is subtracted first, so that no exponential overflows. */
function softmax(x: Float32Array, n: number): void {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) max = Math.max(max, x[i]!);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    x[i] = Math.exp(x[i]! - max);
    sum += x[i]!;
  }
  for (let i = 0; i < n; i++) x[i] = x[i]! / sum;
}

/** gelu_new(x) = ½ x (1 + tanh(√(2/π) · (x + 0.044715 x³))). */
function geluNew(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

// ------------------------------------------------------------------------------------------------------- attention

/**
 * Causal attention of the token at `position` over itself and all before it:
 * the values weighted by softmax(q · k / √s), per head. Causality needs no mask: later positions have no cells yet.
 */
function attend(state: GptjState, config: GptjConfig, layer: number, cells: ArrayLike<number>, position: number): void {
  const { embeddingSize: d, headCount } = config;
  const { q, scores, attended } = state;
  const keys = state.keys[layer]!;
  const values = state.values[layer]!;
  const headSize = d / headCount;
  const scale = 1 / Math.sqrt(headSize);
  attended.fill(0);
  for (let head = 0; head < d; head += headSize) {
    for (let t = 0; t <= position; t++) {
      const key = cells[t]! * d + head;
      let dot = 0;
      for (let i = 0; i < headSize; i++) dot += q[head + i]! * keys[key + i]!;
      scores[t] = dot * scale;
    }
    softmax(scores, position + 1);
    for (let t = 0; t <= position; t++) {
      const weight = scores[t]!;
      const value = cells[t]! * d + head;
      for (let i = 0; i < headSize; i++) attended[head + i] = attended[head + i]! + weight * values[value + i]!;
    }
  }
}

// --------------------------------------------------------------------------------------------------------- forward

/** One token, its position and its sequence's cells. */
export interface Place {
  readonly token: TokenId;
  readonly position: number;
  /** Cell of each position of the sequence, at least up to this one. The earlier ones hold their keys and values. */
  readonly cells: ArrayLike<number>;
  /** Adapters of the sequence; null: none. */
  readonly adapters: readonly AdapterInUse[] | null;
}

/**
 * Take one token through the network. Writes its keys and values to its cell, and the residual stream after the last
 * block to `state.x`.
 *
 * @param beforeBlock called before every block with its number, 0 … layers-1; `state.x` is then the residual stream there
 */
export function forward(
  config: GptjConfig,
  weights: GptjWeights,
  state: GptjState,
  place: Place,
  beforeBlock: (layer: number) => void,
): void {
  const { embeddingSize: d } = config;
  const { token, position, cells, adapters } = place;
  const { x, normed, q, k, v, attended, attentionOut, mlpHidden, mlpOut } = state;

  x.set(weights.embedding.subarray(token * d, (token + 1) * d));

  weights.blocks.forEach((block, layer) => {
    beforeBlock(layer);
    const adding = (target: keyof AdapterLayer): readonly Adding[] =>
      (adapters ?? []).flatMap(({ adapter, scale }) => {
        const matrix = adapter[layer]?.[target];
        return matrix === undefined ? [] : [{ matrix, scale }];
      });

    // One norm feeds both branches, which are parallel: x + attention(ln_1(x)) + mlp(ln_1(x)).
    layerNorm(normed, x, block.ln1Weight, block.ln1Bias, config.layerNormEpsilon);

    matmul(q, block.query, normed, null);
    matmul(k, block.key, normed, null);
    matmul(v, block.value, normed, null);
    adapt(q, normed, adding('q_proj'));
    adapt(k, normed, adding('k_proj'));
    adapt(v, normed, adding('v_proj'));
    rotate(q, position, config);
    rotate(k, position, config);
    state.keys[layer]!.set(k, cells[position]! * d);
    state.values[layer]!.set(v, cells[position]! * d);
    attend(state, config, layer, cells, position);
    matmul(attentionOut, block.attentionOut, attended, null);
    adapt(attentionOut, attended, adding('out_proj'));

    matmul(mlpHidden, block.mlpIn, normed, block.mlpInBias);
    adapt(mlpHidden, normed, adding('fc_in'));
    for (let i = 0; i < mlpHidden.length; i++) mlpHidden[i] = geluNew(mlpHidden[i]!);
    matmul(mlpOut, block.mlpOut, mlpHidden, block.mlpOutBias);
    adapt(mlpOut, mlpHidden, adding('fc_out'));

    for (let i = 0; i < d; i++) x[i] = x[i]! + attentionOut[i]! + mlpOut[i]!;
  });
}

/** ln_f of the residual stream in `state.x`: the input of the head and the hidden state of results. A new array (d). */
export function finalNorm(config: GptjConfig, weights: GptjWeights, state: GptjState): Float32Array {
  const out = new Float32Array(config.embeddingSize);
  layerNorm(out, state.x, weights.lnFinalWeight, weights.lnFinalBias, config.layerNormEpsilon);
  return out;
}

/** The head: logits = W h + bias, one per vocabulary entry. A new array (v). */
export function logitsOf(config: GptjConfig, weights: GptjWeights, hidden: Float32Array): Float32Array {
  const out = new Float32Array(config.vocabSize);
  matmul(out, weights.head, hidden, weights.headBias);
  return out;
}
