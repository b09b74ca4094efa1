import { PickleError } from './pickle-error.ts';
import type { PickleLimits } from './pickle-limits.ts';
import { type PickleScalar, PickleTuple, type PickleValue } from './pickle-value.ts';

interface Size {
  /** Number of values and keys, nested ones included. */
  nodes: number;
  depth: number;
  text: number;
}

type PickleContainer<T> = Extract<
  PickleValue<T>,
  PickleValue<T>[] | PickleTuple<T> | Map<PickleScalar, PickleValue<T>>
>;

interface OpenContainer<T> {
  readonly container: object;
  readonly children: readonly PickleValue<T>[];
  next: number;
  readonly size: Size;
}

/**
 * Check the size of a value with aliases expanded, and that it has no cycle. Each container is visited once however
 * often it is referenced, so the time is linear in the size of the pickle, while the expanded size may be exponential
 * in it.
 */
export function checkSize<T>(value: PickleValue<T>, limits: PickleLimits, offset: number): void {
  const sizes = new Map<object, Size | 'open'>();
  const path: OpenContainer<T>[] = [];

  const enter = (child: PickleValue<T>): Size | undefined => {
    if (!isContainer(child)) return { nodes: 1, depth: 0, text: typeof child === 'string' ? child.length : 0 };
    const known = sizes.get(child);
    if (known === 'open') {
      throw new PickleError('cycle', 'expected a value with an end, got a container that holds itself', offset);
    }
    if (known !== undefined) return known;
    const size: Size = { nodes: 1, depth: 1, text: 0 };
    if (child instanceof Map) {
      for (const key of child.keys()) add(size, { nodes: 1, depth: 0, text: typeof key === 'string' ? key.length : 0 });
    }
    sizes.set(child, 'open');
    path.push({ container: child, children: childrenOf(child), next: 0, size });
    check({ nodes: 0, depth: path.length, text: 0 }, limits, offset);
    return undefined;
  };

  const whole = enter(value);
  if (whole !== undefined) check(whole, limits, offset);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    if (top.next < top.children.length) {
      const child = top.children[top.next] as PickleValue<T>;
      top.next += 1;
      const size = enter(child);
      if (size !== undefined) add(top.size, size);
      continue;
    }
    check(top.size, limits, offset);
    path.pop();
    sizes.set(top.container, top.size);
    const parent = path.at(-1);
    if (parent !== undefined) add(parent.size, top.size);
  }
}

function isContainer<T>(value: PickleValue<T>): value is PickleContainer<T> {
  return Array.isArray(value) || value instanceof PickleTuple || value instanceof Map;
}

function childrenOf<T>(value: PickleContainer<T>): readonly PickleValue<T>[] {
  if (Array.isArray(value)) return value;
  return value instanceof Map ? [...value.values()] : value.items;
}

function add(total: Size, part: Size): void {
  total.nodes += part.nodes;
  total.text += part.text;
  total.depth = Math.max(total.depth, part.depth + 1);
}

function check(size: Size, limits: PickleLimits, offset: number): void {
  if (size.depth > limits.depth) {
    throw new PickleError(
      'limit_depth',
      `expected at most ${limits.depth} containers within each other, got more`,
      offset,
    );
  }
  if (size.nodes > limits.nodes) {
    throw new PickleError(
      'limit_nodes',
      `expected at most ${limits.nodes} values, got ${size.nodes} with repeated ones written out; send less data`,
      offset,
    );
  }
  if (size.text > limits.text) {
    throw new PickleError(
      'limit_text',
      `expected strings of at most ${limits.text} characters together, got ${size.text} with repeated ones written out; send less data`,
      offset,
    );
  }
}
