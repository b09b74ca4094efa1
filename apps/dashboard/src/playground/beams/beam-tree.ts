/** A beam search as a prefix tree: the returned sequences, and with `output_beams` every token that its steps considered. */
import { type BeamCandidate, parseBeamCandidate, parseTokenLogprob } from '@gptj-cloud/sdk';

/** A returned sequence, best first. */
export interface ReturnedSequence {
  readonly tokens: readonly { readonly id: number; readonly label: string }[];
  readonly score: number | null;
  readonly finish: string | null;
}

export interface BeamSource {
  /** Empty where the run was not asked for `output_beams`. */
  readonly steps: readonly (readonly BeamCandidate[])[];
  readonly returned: readonly ReturnedSequence[];
}

export interface BeamNode {
  readonly id: number;
  /** Null for the end of the prompt. */
  readonly parent: number | null;
  readonly children: number[];
  /** Number of tokens up to this one; 0 for the end of the prompt. */
  readonly depth: number;
  readonly token: number;
  readonly label: string;
  /** Accumulated log-probability, as the search counts it; null where it is not known. */
  readonly score: number | null;
  /** `dropped`: considered and not kept. */
  isKept: boolean;
  /** It leads to a returned sequence, or to a beam of the newest step. */
  isAlive: boolean;
  /** Index of the returned sequence that ends here. */
  returned: number | null;
}

export interface BeamTree {
  readonly nodes: readonly BeamNode[];
  readonly returned: readonly ReturnedSequence[];
  /** The parent of every other node: the end of the prompt. */
  readonly root: BeamNode;
}

/** Beams below this score descend from copies of the prompt that only fill the first step. */
const COPY_SCORE = -5e8;

export function beamTree({ steps, returned }: BeamSource): BeamTree {
  const nodes: BeamNode[] = [];
  const byToken: Map<number, number>[] = [];
  const add = (parent: BeamNode | null, token: number, label: string, score: number | null): BeamNode => {
    const node: BeamNode = {
      id: nodes.length,
      parent: parent?.id ?? null,
      children: [],
      depth: parent === null ? 0 : parent.depth + 1,
      token,
      label,
      score,
      isKept: false,
      isAlive: false,
      returned: null,
    };
    nodes.push(node);
    byToken.push(new Map());
    if (parent !== null) {
      parent.children.push(node.id);
      byToken[parent.id]?.set(token, node.id);
    }
    return node;
  };
  const childOf = (parent: BeamNode, token: number, label: string, score: number | null): BeamNode => {
    const known = nodes[byToken[parent.id]?.get(token) ?? -1];
    return known ?? add(parent, token, label, score);
  };
  const root = add(null, -1, '', 0);
  root.isKept = true;

  // The first step starts from copies of the prompt.
  let rows: readonly BeamNode[] = [];
  for (const [at, step] of steps.entries()) {
    const next: BeamNode[] = [];
    for (const { parent, token, text, score, kept } of step) {
      const from = at === 0 ? root : rows[parent];
      if (from === undefined) continue;
      if (score !== null && score < COPY_SCORE) {
        if (kept) next.push(from);
        continue;
      }
      const node = childOf(from, token, text, score);
      if (!kept) continue;
      node.isKept = true;
      next.push(node);
    }
    // The last step has no beams to go on with.
    if (next.length > 0) rows = next;
  }
  if (returned.length === 0) for (const node of rows) markAlive(nodes, node);
  for (const [index, { tokens }] of returned.entries()) {
    let node = root;
    for (const { id, label } of tokens) {
      node = childOf(node, id, label, null);
      node.isKept = true;
    }
    node.returned ??= index;
    markAlive(nodes, node);
  }
  return { nodes, returned, root };
}

function markAlive(nodes: readonly BeamNode[], end: BeamNode): void {
  for (let node: BeamNode | undefined = end; node !== undefined && !node.isAlive; ) {
    node.isAlive = true;
    node = node.parent === null ? undefined : nodes[node.parent];
  }
}

/** The nodes from the first token to `node`. */
export function pathTo({ nodes }: BeamTree, node: BeamNode): readonly BeamNode[] {
  const path: BeamNode[] = [];
  for (let each: BeamNode | undefined = node; each !== undefined && each.parent !== null; each = nodes[each.parent]) {
    path.unshift(each);
  }
  return path;
}

/** The search in the result of a run that was asked for log-probabilities; null where the result has no sequences of tokens. */
export function sourceOfResult(preview: readonly unknown[] | null): BeamSource | null {
  const fields = record(preview?.[0]);
  if (!Array.isArray(fields.logprobs)) return null;
  const scores = listOf(fields.sequences_scores);
  const finishes = listOf(fields.finish_reasons);
  return {
    steps: listOf(fields.beams).map((step) => listOf(step).map(parseBeamCandidate)),
    returned: fields.logprobs.map((reports, index) => {
      const score = scores[index];
      const finish = finishes[index];
      return {
        tokens: listOf(reports)
          .map(parseTokenLogprob)
          .map(({ token, text }) => ({ id: token, label: text })),
        score: typeof score === 'number' ? score : null,
        finish: typeof finish === 'string' ? finish : null,
      };
    }),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
