import type { GptjConfig } from './gptj-config.ts';

/** An adapter (LoRA) as one sequence uses it. */
export interface AdapterUse {
  readonly name: string;
  /** Factor of what the adapter adds: 1 as it was trained, 0 is as if it was absent. */
  readonly scale: number;
}

/** Maximum rank of one matrix of an adapter. */
export const MAX_ADAPTER_RANK = 256;
/** Maximum number of adapters that one sequence uses. */
export const MAX_ADAPTERS_PER_SEQUENCE = 4;
/** Scales lie between this and its negative. */
export const MAX_ADAPTER_SCALE = 100;

/** The matrices of a layer that an adapter can change, those that read the layer norm first. */
export const ADAPTER_TARGETS = ['q_proj', 'k_proj', 'v_proj', 'fc_in', 'out_proj', 'fc_out'] as const;

export type AdapterTarget = (typeof ADAPTER_TARGETS)[number];

/** One matrix of a layer. */
export interface AdapterTargetSpec {
  /** `attn.q_proj`: the module below `transformer.h.N`. */
  readonly module: string;
  /** `attn_q`: the tensor below `blk.N` in a phi2 export. */
  readonly ggufName: string;
  /** The matrix is [rows, columns]. */
  readonly rows: number;
  readonly columns: number;
}

/** Names and shapes of the matrices that adapters can change. */
export function adapterTargets(
  config: Pick<GptjConfig, 'embeddingSize' | 'feedForwardSize'>,
): Readonly<Record<AdapterTarget, AdapterTargetSpec>> {
  const { embeddingSize: d, feedForwardSize: f } = config;
  return {
    q_proj: { module: 'attn.q_proj', ggufName: 'attn_q', rows: d, columns: d },
    k_proj: { module: 'attn.k_proj', ggufName: 'attn_k', rows: d, columns: d },
    v_proj: { module: 'attn.v_proj', ggufName: 'attn_v', rows: d, columns: d },
    fc_in: { module: 'mlp.fc_in', ggufName: 'ffn_up', rows: f, columns: d },
    out_proj: { module: 'attn.out_proj', ggufName: 'attn_output', rows: d, columns: d },
    fc_out: { module: 'mlp.fc_out', ggufName: 'ffn_down', rows: d, columns: f },
  };
}

/** What an adapter adds to one matrix: W x + up (down x). */
export interface LowRank {
  readonly rank: number;
  /** [rank, columns], row-major. */
  readonly down: Float32Array;
  /** [rows, rank], row-major. Its scaling (alpha / rank) is part of it. */
  readonly up: Float32Array;
}

/** The matrices of one layer that an adapter changes. */
export type AdapterLayer = Readonly<Partial<Record<AdapterTarget, LowRank>>>;

/** The adapters in a stable order, without those of scale 0, which add nothing. */
export function canonicalAdapters(uses: readonly AdapterUse[]): readonly AdapterUse[] {
  return uses.filter(({ scale }) => scale !== 0).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** A text that two lists share exactly where they have the same effect: cached keys and values belong to it. `''`: none. */
export function adaptersKey(uses: readonly AdapterUse[]): string {
  return canonicalAdapters(uses)
    .map(({ name, scale }) => `${name}=${scale}`)
    .join();
}

/** Whether a list with this `adaptersKey` has the adapter, at another scale than 0. */
export function usesAdapter(key: string, name: string): boolean {
  return key.split(',').some((use) => use.slice(0, use.lastIndexOf('=')) === name);
}
