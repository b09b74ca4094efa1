/**
 * The nodes with engines, as a node without one chooses among them. They report their load every few seconds; the generations
 * that this node has sent to them since are added.
 */
import { canCompute, type EngineNode, isServing } from './node-store.ts';

export interface EngineNodesDeps {
  readonly find: () => Promise<readonly EngineNode[]>;
  /** Ids of nodes that have one of the beginnings of prompts in their caches. */
  readonly findHolders: (prefixLabels: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** 0 ≤ x < 1: chooses among nodes of equal load. */
  readonly random: () => number;
}

export interface TakenNode {
  readonly node: EngineNode;
  /** The generation there has ended. Idempotent. */
  readonly leave: () => void;
}

export interface WantedNode {
  readonly model: string;
  readonly excluded: ReadonlySet<string>;
  /** What the engine must have (`needOf`). Default: nothing. */
  readonly capability?: string | null;
  readonly prefixLabels?: readonly string[];
}

export interface EngineNodes {
  /**
   * Take a place at the least loaded node that computes the model and what the request needs, without the `excluded` ones; null: there is none. The least loaded of
   * those that have the beginning of the prompt goes before one that has `SIMILAR_LOAD` less to do. Rejects when the store fails.
   */
  take(wanted: WantedNode): Promise<TakenNode | null>;
  /** Whether nodes have the model, and none of them the capability, as they were read last. */
  lack(model: string, capability: string): boolean;
  /** A node could not be reached: it is left out until it reports again. */
  exclude(node: EngineNode): void;
}

/** What this node knows of another one. */
interface Known {
  /** The report that `sentBefore` belongs to. */
  reportedAt: number;
  /** Generations of this node that the report counts. */
  sentBefore: number;
  /** Generations of this node under way. */
  sent: number;
  /** The last report before it could not be reached. */
  excludedAt: number | null;
}

const NO_HOLDERS: ReadonlySet<string> = new Set();
const REFRESH_MS = 1_000;
/** Part of a node's slots. */
const SIMILAR_LOAD = 0.25;

export function createEngineNodes({ find, findHolders, now, random }: EngineNodesDeps): EngineNodes {
  const known = new Map<string, Known>();
  let found: readonly EngineNode[] = [];
  let foundAt = Number.NEGATIVE_INFINITY;
  let finding: Promise<void> | null = null;

  const knownOf = (id: string): Known => {
    const one = known.get(id) ?? { reportedAt: 0, sentBefore: 0, sent: 0, excludedAt: null };
    known.set(id, one);
    return one;
  };
  const refresh = async (): Promise<void> => {
    found = await find();
    foundAt = now();
    const ids = new Set(found.map(({ id }) => id));
    for (const [id, { sent }] of known) if (!ids.has(id) && sent === 0) known.delete(id);
    for (const { id, beatAt } of found) {
      const one = knownOf(id);
      if (one.reportedAt === beatAt.getTime()) continue;
      one.reportedAt = beatAt.getTime();
      one.sentBefore = one.sent;
    }
  };
  const loadOf = ({ id, busy, slots }: EngineNode): number => {
    const { sent, sentBefore } = knownOf(id);
    // The report may be older than the newest generations of this node.
    return Math.max(sent, busy + sent - sentBefore) / slots;
  };
  const enter = (id: string): (() => void) => {
    const one = knownOf(id);
    one.sent++;
    let isInside = true;
    return () => {
      if (isInside) one.sent--;
      isInside = false;
    };
  };
  return {
    async take({ model, excluded, capability = null, prefixLabels = [] }) {
      const holders = prefixLabels.length === 0 ? NO_HOLDERS : await findHolders(prefixLabels);
      // A node that failed is a sign that others have come.
      if (excluded.size > 0 || found.length === 0 || now() - foundAt >= REFRESH_MS) {
        finding ??= refresh().finally(() => {
          finding = null;
        });
        await finding;
      }
      let best: EngineNode | null = null;
      let bestLoad = Number.POSITIVE_INFINITY;
      for (const node of found) {
        const isFit = capability === null ? isServing(node, model) : canCompute(node, model, capability);
        if (!isFit || excluded.has(node.id)) continue;
        if (knownOf(node.id).excludedAt === node.beatAt.getTime()) continue;
        // Less than the difference that one generation makes.
        const load = loadOf(node) + random() * 1e-6 - (holders.has(node.id) ? SIMILAR_LOAD : 0);
        if (load >= bestLoad) continue;
        best = node;
        bestLoad = load;
      }
      // In the same step: the next one must count it.
      return best === null ? null : { node: best, leave: enter(best.id) };
    },
    lack: (model, capability) =>
      found.some((node) => isServing(node, model)) && !found.some((node) => canCompute(node, model, capability)),
    exclude({ id, beatAt }) {
      knownOf(id).excludedAt = beatAt.getTime();
    },
  };
}
