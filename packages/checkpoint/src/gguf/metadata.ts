/** Key-value pairs of a GGUF file, with their types, so that metadata can be written again unchanged. */

export type GgufNumberType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';
export type GgufBigintType = 'uint64' | 'int64';
export type GgufItemType = GgufNumberType | GgufBigintType | 'bool' | 'string';

export type GgufValue =
  | { readonly type: GgufNumberType; readonly value: number }
  | { readonly type: GgufBigintType; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: GgufNumberType; readonly value: readonly number[] }
  | { readonly type: 'array'; readonly of: GgufBigintType; readonly value: readonly bigint[] }
  | { readonly type: 'array'; readonly of: 'bool'; readonly value: readonly boolean[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] };

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Numbers of the types in the file (`enum gguf_value_type`), and the minimum size of an item in bytes. */
export const GGUF_ITEM_TYPES: Readonly<Record<GgufItemType, { readonly id: number; readonly bytes: number }>> = {
  uint8: { id: 0, bytes: 1 },
  int8: { id: 1, bytes: 1 },
  uint16: { id: 2, bytes: 2 },
  int16: { id: 3, bytes: 2 },
  uint32: { id: 4, bytes: 4 },
  int32: { id: 5, bytes: 4 },
  float32: { id: 6, bytes: 4 },
  bool: { id: 7, bytes: 1 },
  string: { id: 8, bytes: 8 },
  uint64: { id: 10, bytes: 8 },
  int64: { id: 11, bytes: 8 },
  float64: { id: 12, bytes: 8 },
};

export const GGUF_ARRAY_ID = 9;

export const GGUF_MAGIC = 0x46554747;
export const GGUF_VERSION = 3;
/** Tensors start at multiples of this unless `general.alignment` has another value. */
export const GGUF_ALIGNMENT = 32;

/** The string under `key`, or null when it is missing or of another type. */
export function metadataString(metadata: GgufMetadata, key: string): string | null {
  const entry = metadata.get(key);
  return entry?.type === 'string' ? entry.value : null;
}

/** The number under `key`, or null. */
export function metadataNumber(metadata: GgufMetadata, key: string): number | null {
  const entry = metadata.get(key);
  return entry !== undefined && typeof entry.value === 'number' ? entry.value : null;
}

/** Round up to a multiple of `alignment`. */
export function align(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
