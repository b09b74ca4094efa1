/** What a generation does to a draft: it adds nodes, tokens arrive in them, it restarts, and it ends. */
import { alignText, settledCount } from './align-text.ts';
import {
  type Draft,
  type DraftNode,
  type DraftToken,
  emptyNode,
  isOpen,
  type NodeId,
  type NodeRun,
  nodeOf,
  type Parameters,
  pathOf,
  stepTo,
  withChild,
  withNodes,
} from './draft.ts';
import { cutPath } from './split-node.ts';

export interface NewGeneration {
  /** Unique in the draft. */
  readonly key: string;
  readonly parameters: Parameters;
  readonly seed: number | null;
  /** Number of returned sequences: each becomes a child. */
  readonly sequences: number;
}

/** What a token event of the stream brings to one sequence. */
export interface Arrival {
  readonly key: string;
  readonly sequence: number;
  readonly text: string;
  /** Without their share of `text`, which this module finds. */
  readonly tokens: readonly Omit<DraftToken, 'text'>[];
}

export interface Ending {
  readonly key: string;
  /** For each sequence: the server's finish reason, `cancelled` or `failed`. */
  readonly finishes: readonly string[];
  readonly failure: string | null;
}

/** Add a child of `parent` for each sequence, and make the first one the position. */
export function beginGeneration(draft: Draft, parent: NodeId, generation: NewGeneration): Draft {
  // A node that still receives tokens is split: what it has so far becomes the parent.
  const path = pathOf(draft, parent);
  const last = nodeOf(draft, parent);
  const length = path.reduce((sum, node) => sum + node.text.length, 0);
  const cut = isOpen(last) ? cutPath(draft, path, length) : { draft, position: parent };
  const { key, parameters, seed } = generation;
  let next = cut.draft;
  let first: NodeId | null = null;
  for (let sequence = 0; sequence < generation.sequences; sequence++) {
    const run: NodeRun = {
      key,
      id: null,
      sequence,
      from: 0,
      stage: 'open',
      parameters,
      seed,
      finish: null,
      failure: null,
    };
    const added = withChild(next, { ...emptyNode('', cut.position, 'generated'), run });
    next = added.draft;
    first ??= added.id;
  }
  return first === null ? draft : stepTo(next, first);
}

/** Note the run that the server has accepted for a generation. */
export function acceptRun(draft: Draft, key: string, runId: string): Draft {
  return mapRuns(draft, key, (run) => (run.id === runId ? run : { ...run, id: runId }));
}

/** Note that a generation draws by no seed of ours: it cannot be repeated. */
export function unseedRun(draft: Draft, key: string): Draft {
  return mapRuns(draft, key, (run) => {
    const { seed: _, ...parameters } = run.parameters;
    return { ...run, seed: null, parameters };
  });
}

/** Append what arrived. Text of a generation that has ended, or that was deleted, is dropped. */
export function appendTokens(draft: Draft, arrivals: readonly Arrival[]): Draft {
  const changed = new Map<NodeId, DraftNode>();
  for (const arrival of arrivals) {
    const found = receiverOf(draft, arrival.key, arrival.sequence);
    if (found === null) continue;
    changed.set(found.id, grown(changed.get(found.id) ?? found, arrival));
  }
  return changed.size === 0 ? draft : withNodes(draft, ...changed.values());
}

function grown(node: DraftNode, { text, tokens }: Arrival): DraftNode {
  const { run } = node;
  const isVoid = run?.stage === 'void';
  const before = isVoid ? [] : (node.tokens ?? []);
  const arrived = tokens.map((token) => ({ ...token, text: '' }));
  const settled = settledCount(before);
  const pending = [...before.slice(settled), ...arrived];
  const aligned = alignText(pending, text);
  const all = [...before.slice(0, settled), ...aligned];
  // Text without any token to carry it cannot be kept.
  const carried = all.length === 0 ? '' : text;
  return {
    ...node,
    text: (isVoid ? '' : node.text) + carried,
    tokens: all,
    run: run === null || !isVoid ? run : { ...run, stage: 'open' },
  };
}

/**
 * The server generates again from the start: mark the text as void. The next tokens replace it. A sequence whose first part
 * has become a node of its own is begun in a new node, because that part must not change.
 */
export function restartGeneration(draft: Draft, key: string): Draft {
  let next = draft;
  for (const node of draft.nodes.values()) {
    if (node.run?.key !== key || !isOpen(node)) continue;
    if (node.run.from === 0) {
      next = withNodes(next, { ...node, run: { ...node.run, stage: 'void' } });
      continue;
    }
    const start = nodeOf(next, firstOf(next, node.id)).parent;
    if (start === null) continue;
    const fresh = {
      ...emptyNode('', start, 'generated' as const),
      run: { ...node.run, from: 0, stage: 'open' as const },
    };
    const added = withChild(next, fresh);
    next = withNodes(added.draft, {
      ...nodeOf(added.draft, node.id),
      run: { ...node.run, stage: 'ended', finish: 'restarted' },
    });
    if (next.here === node.id) next = stepTo(next, added.id);
  }
  return next;
}

/** End a generation. Text that was void is valid again: nothing replaced it. */
export function endGeneration(draft: Draft, { key, finishes, failure }: Ending): Draft {
  return mapRuns(draft, key, (run) => ({
    ...run,
    stage: 'ended',
    finish: finishes[run.sequence] ?? finishes[0] ?? 'failed',
    failure,
  }));
}

/** The first node of the output that a node is a part of. */
export function firstOf(draft: Draft, id: NodeId): NodeId {
  let node = nodeOf(draft, id);
  while (node.run !== null && node.run.from > 0 && node.parent !== null) {
    const parent = nodeOf(draft, node.parent);
    if (parent.run?.key !== node.run.key || parent.run.sequence !== node.run.sequence) break;
    node = parent;
  }
  return node.id;
}

/** Keys and ids of the generations that have not ended, as far as the draft knows. */
export function openRuns(draft: Draft): readonly { readonly key: string; readonly runId: string | null }[] {
  const open = new Map<string, string | null>();
  for (const node of draft.nodes.values()) {
    if (node.run !== null && isOpen(node)) open.set(node.run.key, node.run.id);
  }
  return [...open].map(([key, runId]) => ({ key, runId }));
}

function receiverOf(draft: Draft, key: string, sequence: number): DraftNode | null {
  for (const node of draft.nodes.values()) {
    if (node.run?.key === key && node.run.sequence === sequence && isOpen(node)) return node;
  }
  return null;
}

function mapRuns(draft: Draft, key: string, change: (run: NodeRun) => NodeRun): Draft {
  const changed: DraftNode[] = [];
  for (const node of draft.nodes.values()) {
    if (node.run?.key !== key || !isOpen(node)) continue;
    changed.push({ ...node, run: change(node.run) });
  }
  return changed.length === 0 ? draft : withNodes(draft, ...changed);
}
