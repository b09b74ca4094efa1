/**
 * Which tensor gets which type: the choices of llama.cpp v0.5.0 (src/llama-quant.cpp) for a dense `phi2` model without
 * importance matrix, with one difference: where a row does not divide into blocks of 256, q8_0 takes the place of q4_K
 * and q5_K, too (there q5_0 and q5_1), as such models are small.
 */
import { type FloatType, TENSOR_TYPES, type TensorType } from './tensor-type.ts';

/** Values of `gptj convert --type`. `_M` is a mixture: more bits for the tensors that are most sensitive to rounding. */
export type Recipe = FloatType | 'q8_0' | 'q6_K' | 'q5_K_M' | 'q4_K_M' | 'q4_0';

export const RECIPES: readonly Recipe[] = ['f32', 'f16', 'bf16', 'q8_0', 'q6_K', 'q5_K_M', 'q4_K_M', 'q4_0'];

/** `general.file_type` of a recipe (`enum llama_ftype`). */
export const FILE_TYPES: Readonly<Record<Recipe, number>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q8_0: 7,
  q4_K_M: 15,
  q5_K_M: 17,
  q6_K: 18,
  bf16: 32,
};

const BASE_TYPES: Readonly<Record<Recipe, TensorType>> = {
  f32: 'f32',
  f16: 'f16',
  bf16: 'bf16',
  q8_0: 'q8_0',
  q6_K: 'q6_K',
  q5_K_M: 'q5_K',
  q4_K_M: 'q4_K',
  q4_0: 'q4_0',
};

/** The recipe's type, and the fallback for rows that do not divide into its blocks. */
export interface TensorTypeChoice {
  readonly wanted: TensorType;
  readonly used: TensorType;
}

/**
 * The type of one matrix. `tensorName` is its GGUF name; `layer` is null outside the layers. Vectors are always f32
 * and have no entry here.
 */
export function tensorType(
  recipe: Recipe,
  tensorName: string,
  layer: number | null,
  layerCount: number,
  rowLength: number,
): TensorTypeChoice {
  const wanted = wantedType(recipe, tensorName, layer, layerCount);
  const fits = (type: TensorType): boolean => rowLength % TENSOR_TYPES[type].blockSize === 0;
  if (fits(wanted)) return { wanted, used: wanted };
  return { wanted, used: fits('q8_0') ? 'q8_0' : 'f16' };
}

function wantedType(recipe: Recipe, tensorName: string, layer: number | null, layerCount: number): TensorType {
  // The LM head is sensitive to rounding: at least six bits.
  if (tensorName === 'output.weight' && (recipe === 'q4_0' || recipe === 'q4_K_M' || recipe === 'q5_K_M'))
    return 'q6_K';
  const isMixture = recipe === 'q4_K_M' || recipe === 'q5_K_M';
  const isSensitive = tensorName.endsWith('.attn_v.weight') || tensorName.endsWith('.ffn_down.weight');
  if (isMixture && isSensitive && layer !== null && getsMoreBits(layer, layerCount)) return 'q6_K';
  return BASE_TYPES[recipe];
}

/** The first and the last eighth of the layers, and every third between. */
function getsMoreBits(layer: number, layerCount: number): boolean {
  const eighth = Math.floor(layerCount / 8);
  return layer < eighth || layer >= Math.floor((7 * layerCount) / 8) || (layer - eighth) % 3 === 2;
}
