/**
 * The tokens of a vocabulary as a prefix tree over classes of bytes. Tokens that a pattern does not distinguish share a
 * path, so the fewer classes a pattern has, the smaller the tree.
 */
import type { TokenId } from '@gptj-cloud/model';
import { treeBuilder, type VocabularyTree } from './tree-builder.ts';

export interface Vocabulary {
  readonly size: number;
  readonly tokenBytes: (token: TokenId) => Uint8Array;
}

/** Steps of one node of the tree over bytes. */
const NODE_STEPS = 80;
const MAX_TREES = 8;

interface Trees {
  /** Every byte is a class of its own. */
  readonly byBytes: VocabularyTree;
  /** The latest trees by their classes: requests often repeat a pattern. */
  readonly byClasses: Map<string, VocabularyTree>;
}

/** Cached by `tokenBytes` function. */
const known = new WeakMap<Vocabulary['tokenBytes'], Trees>();

/**
 * The tree of the tokens that have bytes, all of classes that are 1 in `isTaken`. `steps` are those of building it, whether
 * it was built now or before.
 */
export function vocabularyTree(
  vocabulary: Vocabulary,
  classOf: Uint8Array,
  isTaken: Uint8Array,
): { readonly tree: VocabularyTree; readonly steps: number } {
  const { byBytes, byClasses } = treesOf(vocabulary);
  const key = `${classOf.join()} ${isTaken.join()}`;
  const tree = byClasses.get(key) ?? mergeClasses(byBytes, classOf, isTaken);
  byClasses.delete(key);
  byClasses.set(key, tree);
  if (byClasses.size > MAX_TREES) byClasses.delete(byClasses.keys().next().value!);
  return { tree, steps: NODE_STEPS * byBytes.classes.length };
}

function treesOf({ tokenBytes, size }: Vocabulary): Trees {
  const trees = known.get(tokenBytes);
  if (trees !== undefined) return trees;
  const tokens = Array.from({ length: size }, (_, token) => tokenBytes(token));
  const builder = treeBuilder(tokens.reduce((sum, { length }) => sum + length, 0));
  for (const [token, bytes] of tokens.entries()) {
    let node = 0;
    for (const byte of bytes) node = builder.child(node, byte);
    if (node !== 0) builder.addToken(node, token);
  }
  const made: Trees = { byBytes: builder.finish(), byClasses: new Map() };
  known.set(tokenBytes, made);
  return made;
}

function mergeClasses(tree: VocabularyTree, classOf: Uint8Array, isTaken: Uint8Array): VocabularyTree {
  const { classes: bytes, depths, ends, tokenBegin, tokens, maxDepth } = tree;
  const builder = treeBuilder(bytes.length);
  const path = new Int32Array(maxDepth + 2);
  for (let at = 0; at < bytes.length; ) {
    const byteClass = classOf[bytes[at]!]!;
    if (isTaken[byteClass] === 0) {
      at = ends[at]!;
      continue;
    }
    const depth = depths[at]!;
    const node = builder.child(path[depth]!, byteClass);
    path[depth + 1] = node;
    const to = tokenBegin[at + 1]!;
    for (let index = tokenBegin[at]!; index < to; index++) builder.addToken(node, tokens[index]!);
    at++;
  }
  return builder.finish();
}
