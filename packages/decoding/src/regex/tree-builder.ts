import type { TokenId } from '@gptj-cloud/model';

/** A prefix tree of tokens, its nodes in depth-first order, without the root. */
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
}

export interface TreeBuilder {
  /** The node below `node` on the edge `byteClass`; 0 is the root. */
  readonly child: (node: number, byteClass: number) => number;
  readonly addToken: (node: number, token: TokenId) => void;
  readonly finish: () => VocabularyTree;
}

/** Builds a tree of at most `maxNodes` nodes beside the root, in arrays of numbers: a vocabulary has 10^5 nodes. */
export function treeBuilder(maxNodes: number): TreeBuilder {
  // Children by node and class: open addressing, at most half full. 0 is an empty place.
  const bits = Math.ceil(Math.log2(2 * maxNodes + 2));
  const mask = 2 ** bits - 1;
  const keys = new Int32Array(2 ** bits);
  const values = new Int32Array(2 ** bits);
  const classes = new Uint8Array(maxNodes + 1);
  const firstChild = new Int32Array(maxNodes + 1);
  const lastChild = new Int32Array(maxNodes + 1);
  const nextSibling = new Int32Array(maxNodes + 1);
  const tokenCounts = new Int32Array(maxNodes + 1);
  const tokens: TokenId[] = [];
  const nodeOfToken: number[] = [];
  let count = 1;

  function addChild(node: number, byteClass: number): number {
    const child = count++;
    classes[child] = byteClass;
    if (firstChild[node] === 0) firstChild[node] = child;
    else nextSibling[lastChild[node]!] = child;
    lastChild[node] = child;
    return child;
  }

  return {
    child: (node, byteClass) => {
      const key = node * 256 + byteClass + 1;
      let place = (Math.imul(key, 0x9e3779b1) >>> (32 - bits)) & mask;
      for (let found = keys[place]!; found !== 0; found = keys[place]!) {
        if (found === key) return values[place]!;
        place = (place + 1) & mask;
      }
      const child = addChild(node, byteClass);
      keys[place] = key;
      values[place] = child;
      return child;
    },
    addToken: (node, token) => {
      tokens.push(token);
      nodeOfToken.push(node);
      tokenCounts[node]!++;
    },
    finish: () => inDepthFirstOrder({ count, classes, firstChild, nextSibling, tokenCounts, tokens, nodeOfToken }),
  };
}

interface Nodes {
  readonly count: number;
  readonly classes: Uint8Array;
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
  readonly tokenCounts: Int32Array;
  readonly tokens: readonly TokenId[];
  readonly nodeOfToken: readonly number[];
}

function inDepthFirstOrder(nodes: Nodes): VocabularyTree {
  const { count, firstChild, nextSibling, tokens, nodeOfToken } = nodes;
  const size = count - 1;
  const tree = {
    classes: new Uint8Array(size),
    depths: new Uint16Array(size),
    ends: new Int32Array(size),
    tokenBegin: new Int32Array(size + 1),
    tokens: new Int32Array(tokens.length),
  };
  const placeOf = new Int32Array(count);
  const open: number[] = [];
  let maxDepth = 0;
  let place = 0;
  let node = firstChild[0]!;
  while (node !== 0) {
    placeOf[node] = place;
    tree.classes[place] = nodes.classes[node]!;
    tree.depths[place] = open.length;
    tree.tokenBegin[place + 1] = tree.tokenBegin[place]! + nodes.tokenCounts[node]!;
    maxDepth = Math.max(maxDepth, open.length);
    place++;
    open.push(node);
    node = firstChild[node]!;
    while (node === 0 && open.length > 0) {
      const last = open.pop()!;
      tree.ends[placeOf[last]!] = place;
      node = nextSibling[last]!;
    }
  }
  const next = tree.tokenBegin.slice();
  for (const [index, token] of tokens.entries()) tree.tokens[next[placeOf[nodeOfToken[index]!]!]!++] = token;
  return { ...tree, maxDepth };
}
