/**
 * The inputs of many requests as a radix forest: what several requests begin with is evaluated once. A node is a run of
 * tokens; it ends where requests part, where a context ends, and where a request ends.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { TokenRequest } from '../requests/encode-request.ts';

export interface ForestRow {
  /** Index of the request. */
  readonly index: number;
  /** Context and continuation. The last one is scored and never read. */
  readonly tokens: readonly TokenId[];
  readonly contextLength: number;
}

export interface ForestNode {
  /** Positions `start` to `end` of every row of the node. */
  readonly start: number;
  readonly end: number;
  readonly rows: readonly ForestRow[];
  /** Which positions predict tokens that are scored. */
  readonly scored: 'none' | 'last' | 'all';
  readonly children: readonly ForestNode[];
}

export function toRow({ context, continuation }: TokenRequest, index: number): ForestRow {
  return { index, tokens: [...context, ...continuation], contextLength: context.length };
}

export function buildForest(rows: readonly ForestRow[], start = 0): readonly ForestNode[] {
  const groups = new Map<TokenId, ForestRow[]>();
  for (const row of rows) {
    if (start >= inputLength(row)) continue;
    const group = groups.get(row.tokens[start]!);
    if (group === undefined) groups.set(row.tokens[start]!, [row]);
    else group.push(row);
  }
  return [...groups.values()].map((group) => {
    const end = nodeEnd(group, start);
    const scored = group.some(({ contextLength }) => contextLength <= start)
      ? 'all'
      : group.some(({ contextLength }) => contextLength === end)
        ? 'last'
        : 'none';
    return { start, end, rows: group, scored, children: buildForest(group, end) };
  });
}

/** Tokens that the model reads. */
function inputLength({ tokens }: ForestRow): number {
  return tokens.length - 1;
}

function nodeEnd(rows: readonly ForestRow[], start: number): number {
  const [first] = rows;
  let end = Math.min(
    ...rows.map((row) =>
      row.contextLength > start ? Math.min(row.contextLength, inputLength(row)) : inputLength(row),
    ),
  );
  for (const { tokens } of rows) {
    let at = start + 1;
    while (at < end && tokens[at] === first!.tokens[at]) at++;
    end = at;
  }
  return end;
}

/** Tokens that are read. */
export function countTokens(nodes: readonly ForestNode[]): number {
  return nodes.reduce((sum, { start, end, children }) => sum + end - start + countTokens(children), 0);
}
