import type { TokenId } from './token.ts';

/**
 * Cache of encoded pieces. Two generations instead of a strict least-recently-used order: a hit in the old one moves
 * the piece to the new one, and when the new one is full the old one is dropped. Holds at most 2 × `capacity` pieces.
 */
export interface PieceCache {
  get(piece: string): readonly TokenId[] | undefined;
  set(piece: string, ids: readonly TokenId[]): void;
}

export function createPieceCache(capacity: number): PieceCache {
  let young = new Map<string, readonly TokenId[]>();
  let old = new Map<string, readonly TokenId[]>();
  const set = (piece: string, ids: readonly TokenId[]): void => {
    if (young.size >= capacity) {
      old = young;
      young = new Map();
    }
    young.set(piece, ids);
  };
  return {
    set,
    get(piece) {
      const hit = young.get(piece);
      if (hit !== undefined) return hit;
      const earlier = old.get(piece);
      if (earlier !== undefined) set(piece, earlier);
      return earlier;
    },
  };
}
