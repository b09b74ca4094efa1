/**
 * The tokens of a vocabulary as a prefix tree over classes of bytes. Tokens that a pattern does not distinguish share a
 * path, so the fewer classes a pattern has, the smaller the tree.
 */
import type { TokenId } from '@gptj-cloud/model';
import { STEPS } from '../work-budget.ts';

/** Nodes in depth-first order. */
export interface VocabularyTree {
  /** The class on the edge to the node, by node. */
  readonly classes: Uint8Array;
  /** Depth of the node, from 0. */
  readonly depths: Uint16Array;
  /** The first node after the subtree. */
  readonly ends: Int32Array;
  /** Tokens that end at node n: from `tokenBegin[n]` to `tokenBegin[n + 1]`. */
  readonly tokenBegin: Int32Array;
  readonly tokens: Int32Array;
  readonly maxDepth: number;
  /** Steps that it took to build it. */
  readonly buildSteps: number;
}

export interface Vocabulary {
  readonly size: number;
  readonly tokenBytes: (token: TokenId) => Uint8Array;
}

/** The bytes of all tokens, cached by `tokenBytes` function. */
const allBytes = new WeakMap<Vocabulary['tokenBytes'], readonly Uint8Array[]>();
/** The latest trees of a vocabulary, by the classes: requests often repeat a pattern. */
const trees = new WeakMap<Vocabulary['tokenBytes'], Map<string, VocabularyTree>>();
const MAX_TREES = 8;

/** The tree of the tokens that have bytes, all of classes that are 1 in `isTaken`. */
export function vocabularyTree(vocabulary: Vocabulary, classOf: Uint8Array, isTaken: Uint8Array): VocabularyTree {
  const known = trees.get(vocabulary.tokenBytes) ?? new Map<string, VocabularyTree>();
  trees.set(vocabulary.tokenBytes, known);
  const key = `${vocabulary.size} ${classOf.join()} ${isTaken.join()}`;
  const tree = known.get(key) ?? buildTree(vocabulary, classOf, isTaken);
  known.delete(key);
  known.set(key, tree);
  if (known.size > MAX_TREES) known.delete(known.keys().next().value!);
  return tree;
}

function buildTree(vocabulary: Vocabulary, classOf: Uint8Array, isTaken: Uint8Array): VocabularyTree {
  const bytes = bytesOf(vocabulary);
  // Nodes as they are met: children by node and class, and the tokens that end there.
  const children = new Map<number, number>();
  const classes: number[] = [0];
  const below: number[][] = [[]];
  const ending: number[][] = [[]];
  let steps = 0;
  for (let token = 0; token < vocabulary.size; token++) {
    const text = bytes[token]!;
    steps += text.length + 5;
    if (!text.every((byte) => isTaken[classOf[byte]!] === 1)) continue;
    let node = 0;
    for (const byte of text) {
      const byteClass = classOf[byte]!;
      let child = children.get(node * 256 + byteClass);
      if (child === undefined) {
        child = classes.push(byteClass) - 1;
        below.push([]);
        ending.push([]);
        below[node]!.push(child);
        children.set(node * 256 + byteClass, child);
      }
      node = child;
    }
    steps += STEPS.map * (text.length + 1);
    if (node !== 0) ending[node]!.push(token);
  }
  return { ...inDepthFirstOrder({ classes, below, ending }), buildSteps: steps };
}

interface Nodes {
  readonly classes: readonly number[];
  readonly below: readonly (readonly number[])[];
  readonly ending: readonly (readonly number[])[];
}

/** Without the root, which no token ends at. */
function inDepthFirstOrder({ classes, below, ending }: Nodes): Omit<VocabularyTree, 'buildSteps'> {
  const count = classes.length - 1;
  const tree = {
    classes: new Uint8Array(count),
    depths: new Uint16Array(count),
    ends: new Int32Array(count),
    tokenBegin: new Int32Array(count + 1),
    tokens: new Int32Array(ending.reduce((sum, { length }) => sum + length, 0)),
  };
  let at = 0;
  let tokens = 0;
  let maxDepth = 0;
  const visit = (node: number, depth: number): void => {
    const place = at++;
    tree.classes[place] = classes[node]!;
    tree.depths[place] = depth;
    tree.tokenBegin[place] = tokens;
    maxDepth = Math.max(maxDepth, depth);
    for (const token of ending[node]!) tree.tokens[tokens++] = token;
    for (const child of below[node]!) visit(child, depth + 1);
    tree.ends[place] = at;
  };
  for (const child of below[0]!) visit(child, 0);
  tree.tokenBegin[count] = tokens;
  return { ...tree, maxDepth };
}

function bytesOf({ tokenBytes, size }: Vocabulary): readonly Uint8Array[] {
  const known = allBytes.get(tokenBytes);
  if (known !== undefined && known.length >= size) return known;
  const bytes = Array.from({ length: size }, (_, token) => tokenBytes(token));
  allBytes.set(tokenBytes, bytes);
  return bytes;
}
