/**
 * A radix tree over token sequences, for finding the stored sequence that shares the longest prefix with a given one.
 *
 * Invariants: every edge carries at least one token; every leaf holds a value; an inner node holds a value when its
 * sequence is stored as well. Work is proportional to the number of compared tokens, not to the number of sequences.
 */
import type { TokenId } from '@gptj-cloud/model';

export interface Match<T> {
  /** Tokens that the query shares with the stored sequence of `value`. */
  readonly length: number;
  readonly value: T;
}

interface Node<T> {
  /** Tokens on the edge from the parent; empty at the root alone. */
  readonly edge: readonly TokenId[];
  readonly children: Map<TokenId, Node<T>>;
  value: T | undefined;
}

export class PrefixTree<T> {
  readonly #root: Node<T> = { edge: [], children: new Map(), value: undefined };

  get isEmpty(): boolean {
    return this.#root.children.size === 0 && this.#root.value === undefined;
  }

  /** The value stored under exactly this sequence. */
  get(tokens: readonly TokenId[]): T | undefined {
    const path = this.#path(tokens);
    return path?.at(-1)?.value;
  }

  /** Store a value under a sequence, replacing an earlier one. */
  set(tokens: readonly TokenId[], value: T): void {
    let parent: Node<T> | null = null;
    let node = this.#root;
    let at = 0;
    for (;;) {
      const shared = sharedLength(node.edge, tokens, at);
      at += shared;
      if (shared < node.edge.length) {
        // The sequence leaves the edge in its middle: split the edge.
        const lower: Node<T> = { edge: node.edge.slice(shared), children: node.children, value: node.value };
        const upper: Node<T> = {
          edge: node.edge.slice(0, shared),
          children: new Map([[lower.edge[0]!, lower]]),
          value: undefined,
        };
        parent!.children.set(upper.edge[0]!, upper);
        node = upper;
      }
      if (at === tokens.length) {
        node.value = value;
        return;
      }
      const child = node.children.get(tokens[at]!);
      if (child === undefined) {
        node.children.set(tokens[at]!, { edge: tokens.slice(at), children: new Map(), value });
        return;
      }
      parent = node;
      node = child;
    }
  }

  /** Remove the value stored under exactly this sequence. False when there is none. */
  delete(tokens: readonly TokenId[]): boolean {
    const path = this.#path(tokens);
    const node = path?.at(-1);
    if (path === null || node === undefined || node.value === undefined) return false;
    node.value = undefined;
    for (let i = path.length - 1; i > 0; i--) {
      const { edge, children, value } = path[i]!;
      const parent = path[i - 1]!;
      if (value !== undefined || children.size > 1) break;
      if (children.size === 0) {
        parent.children.delete(edge[0]!);
        continue;
      }
      // One child and no value: merge the two edges.
      const [child] = children.values();
      parent.children.set(edge[0]!, {
        edge: [...edge, ...child!.edge],
        children: child!.children,
        value: child!.value,
      });
      break;
    }
    return true;
  }

  /** The stored sequence with the longest common prefix; null when none shares the first token. */
  longest(tokens: readonly TokenId[]): Match<T> | null {
    let node = this.#root;
    let at = 0;
    for (;;) {
      const child = at < tokens.length ? node.children.get(tokens[at]!) : undefined;
      if (child === undefined) break;
      const shared = sharedLength(child.edge, tokens, at);
      at += shared;
      node = child;
      if (shared < child.edge.length) break;
    }
    return at === 0 ? null : { length: at, value: anyValue(node) };
  }

  /** Nodes from the root to the node of exactly this sequence; null when there is no such node. */
  #path(tokens: readonly TokenId[]): Node<T>[] | null {
    const path = [this.#root];
    let at = 0;
    while (at < tokens.length) {
      const child = path.at(-1)!.children.get(tokens[at]!);
      if (child === undefined || sharedLength(child.edge, tokens, at) < child.edge.length) return null;
      at += child.edge.length;
      path.push(child);
    }
    return path;
  }
}

/** Length of the longest common prefix of `edge` and of `tokens` from position `at` on. */
export function sharedLength(edge: readonly TokenId[], tokens: readonly TokenId[], at: number): number {
  let shared = 0;
  while (shared < edge.length && at + shared < tokens.length && edge[shared] === tokens[at + shared]) shared++;
  return shared;
}

/** A value at or below a node. Every leaf has one. */
function anyValue<T>(node: Node<T>): T {
  let here = node;
  while (here.value === undefined) here = here.children.values().next().value!;
  return here.value;
}
