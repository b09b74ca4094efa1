/** Drafts as plain data with a version, for storage and for links. */
import type { Alternative, Draft, DraftNode, DraftToken, NodeId, NodeRun, Parameters } from './draft.ts';

const DRAFT_VERSION = 1;

/** All of a draft but its nodes. */
export interface DraftHead {
  readonly version: number;
  readonly id: string;
  readonly name: string | null;
  readonly root: NodeId;
  readonly here: NodeId;
  readonly past: readonly NodeId[];
  readonly future: readonly NodeId[];
  readonly idCount: number;
  readonly parameters: Parameters;
  readonly presetId: string | null;
}

/** A node with its tokens as one text: thousands of small objects take long to be copied into a database. */
export interface StoredNode extends Omit<DraftNode, 'tokens'> {
  readonly tokens: string | null;
}

/** Stored data that cannot be a draft. */
export class DamagedDraftError extends Error {
  override readonly name = 'DamagedDraftError';
}

export function headOf(draft: Draft): DraftHead {
  const { nodes: _, typing: __, ...head } = draft;
  return { version: DRAFT_VERSION, ...head };
}

export function storedNode(node: DraftNode): StoredNode {
  const tokens = node.tokens?.map(({ id, text, label, logprob, top, processed }) => [
    id,
    text,
    label,
    logprob,
    top.map((other) => [other.id, other.label, other.logprob, ...known(other.processed)]),
    ...known(processed),
  ]);
  return { ...node, tokens: tokens === undefined ? null : JSON.stringify(tokens) };
}

/** Entries at the end of a list, which lists of earlier versions do not have. */
function known(value: number | null | undefined): readonly (number | null)[] {
  return value === undefined ? [] : [value];
}

/** Throws `DamagedDraftError` for data that break an invariant of drafts. */
export function readDraft(head: unknown, nodes: readonly unknown[]): Draft {
  const fields = objectOf(head, 'the draft');
  if (fields.version !== DRAFT_VERSION) {
    throw damaged(`expected version ${DRAFT_VERSION}, got ${String(fields.version)}`);
  }
  const read = new Map(nodes.map((value) => readNode(value)).map((node) => [node.id, node]));
  const draft: Draft = {
    id: stringOf(fields.id, 'id'),
    name: nullable(fields.name, (value) => stringOf(value, 'name')),
    nodes: read,
    root: stringOf(fields.root, 'root'),
    here: stringOf(fields.here, 'here'),
    past: listOf(fields.past, 'past').map((id) => stringOf(id, 'past')),
    future: listOf(fields.future, 'future').map((id) => stringOf(id, 'future')),
    idCount: numberOf(fields.idCount, 'idCount'),
    parameters: objectOf(fields.parameters, 'parameters'),
    presetId: nullable(fields.presetId, (value) => stringOf(value, 'presetId')),
    typing: null,
  };
  checkTree(draft);
  return draft;
}

function checkTree(draft: Draft): void {
  const { nodes } = draft;
  const root = nodes.get(draft.root);
  if (root === undefined || root.parent !== null) throw damaged(`node ${draft.root} is not a root`);
  const reached = [root];
  for (const node of reached) {
    if (reached.length > nodes.size) throw damaged('a node has two parents');
    for (const id of node.children) {
      const child = nodes.get(id);
      if (child === undefined) throw damaged(`node ${id} is missing`);
      if (child.parent !== node.id) throw damaged(`node ${id} has another parent`);
      reached.push(child);
    }
  }
  if (reached.length !== nodes.size) throw damaged('a node is not in the tree');
  for (const id of [draft.here, ...draft.past, ...draft.future]) {
    if (!nodes.has(id)) throw damaged(`position ${id} is missing`);
  }
  for (const id of nodes.keys()) {
    if (!(Number(id.slice(1)) < draft.idCount)) throw damaged(`node ${id} is not below ${draft.idCount}`);
  }
}

function readNode(value: unknown): DraftNode {
  const fields = objectOf(value, 'a node');
  const id = stringOf(fields.id, 'id');
  const { kind } = fields;
  if (kind !== 'typed' && kind !== 'generated' && kind !== 'taken') throw damaged(`node ${id} has no kind`);
  const text = stringOf(fields.text, 'text');
  const tokens = nullable(fields.tokens, (list) => listOf(jsonOf(list, 'tokens'), 'tokens').map(readToken));
  if (tokens !== null && tokens.map((token) => token.text).join('') !== text) {
    throw damaged(`the tokens of node ${id} are not its text`);
  }
  return {
    id,
    parent: nullable(fields.parent, (parent) => stringOf(parent, 'parent')),
    children: listOf(fields.children, 'children').map((child) => stringOf(child, 'children')),
    kind,
    text,
    tokens,
    isMoved: fields.isMoved === true,
    run: nullable(fields.run, readRun),
    name: nullable(fields.name, (name) => stringOf(name, 'name')),
    isStarred: fields.isStarred === true,
  };
}

function readToken(value: unknown): DraftToken {
  const [id, text, label, logprob, top, processed] = listOf(value, 'a token');
  return {
    id: numberOf(id, 'id'),
    text: stringOf(text, 'text'),
    label: nullable(label, (each) => stringOf(each, 'label')),
    logprob: nullable(logprob, (each) => numberOf(each, 'logprob')),
    top: listOf(top, 'top').map(readAlternative),
    ...readProcessed(processed),
  };
}

function readAlternative(value: unknown): Alternative {
  const [id, label, logprob, processed] = listOf(value, 'an alternative');
  return {
    id: numberOf(id, 'id'),
    label: stringOf(label, 'label'),
    logprob: nullable(logprob, (each) => numberOf(each, 'logprob')),
    ...readProcessed(processed),
  };
}

function readProcessed(value: unknown): Pick<Alternative, 'processed'> {
  return value === undefined ? {} : { processed: nullable(value, (each) => numberOf(each, 'processed')) };
}

function readRun(value: unknown): NodeRun {
  const fields = objectOf(value, 'a run');
  const { stage } = fields;
  if (stage !== 'open' && stage !== 'void' && stage !== 'ended') throw damaged('a run has no stage');
  return {
    key: stringOf(fields.key, 'key'),
    id: nullable(fields.id, (id) => stringOf(id, 'id')),
    sequence: numberOf(fields.sequence, 'sequence'),
    from: numberOf(fields.from, 'from'),
    stage,
    parameters: objectOf(fields.parameters, 'parameters'),
    seed: nullable(fields.seed, (seed) => numberOf(seed, 'seed')),
    finish: nullable(fields.finish, (finish) => stringOf(finish, 'finish')),
    failure: nullable(fields.failure, (failure) => stringOf(failure, 'failure')),
  };
}

function damaged(fact: string): DamagedDraftError {
  return new DamagedDraftError(`this draft is damaged: ${fact}`);
}

function objectOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw damaged(`expected ${name} to be an object`);
}

function jsonOf(value: unknown, name: string): unknown {
  try {
    return JSON.parse(stringOf(value, name));
  } catch {
    throw damaged(`expected ${name} to be JSON`);
  }
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged(`expected ${name} to be a list`);
}

function stringOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw damaged(`expected ${name} to be text`);
}

function numberOf(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw damaged(`expected ${name} to be a number`);
}

function nullable<Value>(value: unknown, read: (value: unknown) => Value): Value | null {
  return value === null || value === undefined ? null : read(value);
}
