/**
 * The text of a path for the backdrop of the editor, in blocks of whole lines. A block depends on the text before it and in
 * it alone, so that text which is appended changes the last block, and no other is rendered or laid out again.
 */
import type { Seam } from '../document/branching.ts';
import type { DraftNode } from '../document/draft.ts';

/** `beyond` does not fit into the context. */
export type Tint = 'typed' | 'generated' | 'taken' | 'void' | 'beyond';

export interface TextPiece {
  readonly tint: Tint;
  readonly text: string;
  /** Where the text goes on in several ways from this piece on. */
  readonly seam: Seam | null;
  /** The context ends before this piece. */
  readonly isContextEnd: boolean;
}

export type TextBlock = readonly TextPiece[];

/** A block ends at the first line end from this length on: lines without letters are no blocks of their own. */
const BLOCK_LENGTH = 256;
/** A piece of a long line ends at the first space from this length on, so that text before it is not shaped again. */
const PIECE_LENGTH = 512;
const MAX_PIECE_LENGTH = 1024;

/** At least one block; the last one receives what is appended, and is empty after the end of another one. */
export function textBlocks(
  path: readonly DraftNode[],
  seams: readonly Seam[],
  contextEnd: number | null = null,
): readonly TextBlock[] {
  const blocks: TextPiece[][] = [[]];
  let length = 0;
  for (const { tint, text, seam, isContextEnd } of cutRuns(tintedRuns(path, seams), contextEnd)) {
    let start = 0;
    do {
      const rest = text.slice(start, start + MAX_PIECE_LENGTH);
      const blockEnd = rest.indexOf('\n', Math.max(0, BLOCK_LENGTH - length - 1)) + 1;
      const end = blockEnd > 0 ? Math.min(blockEnd, pieceEnd(rest)) : pieceEnd(rest);
      blocks.at(-1)?.push({
        tint,
        text: rest.slice(0, end),
        seam: start === 0 ? seam : null,
        isContextEnd: isContextEnd && start === 0,
      });
      start += end;
      length += end;
      if (end === blockEnd && end > 0) {
        blocks.push([]);
        length = 0;
      }
    } while (start < text.length);
  }
  return blocks;
}

function pieceEnd(rest: string): number {
  const space = rest.slice(PIECE_LENGTH).search(/\s/);
  if (space >= 0) return PIECE_LENGTH + space + 1;
  // Not between the halves of a character.
  const isSplit = rest.length === MAX_PIECE_LENGTH && /[\ud800-\udbff]$/.test(rest);
  return isSplit ? rest.length - 1 : rest.length;
}

/** Runs of which the text after the end of the context has a tint of its own. */
function cutRuns(runs: readonly TextPiece[], contextEnd: number | null): readonly TextPiece[] {
  if (contextEnd === null) return runs;
  const cut: TextPiece[] = [];
  let start = 0;
  for (const run of runs) {
    const local = contextEnd - start;
    start += run.text.length;
    if (local >= run.text.length) cut.push(run);
    else if (local < 0) cut.push({ ...run, tint: 'beyond' });
    else {
      if (local > 0) cut.push({ ...run, text: run.text.slice(0, local) });
      const seam = local === 0 ? run.seam : null;
      cut.push({ tint: 'beyond', text: run.text.slice(local), seam, isContextEnd: true });
    }
  }
  return cut;
}

/** Neighbours of one tint joined, except where a seam is. */
function tintedRuns(path: readonly DraftNode[], seams: readonly Seam[]): readonly TextPiece[] {
  const seamOf = new Map(seams.map((seam) => [seam.node, seam]));
  const runs: TextPiece[] = [];
  for (const node of path) {
    const seam = seamOf.get(node.id) ?? null;
    if (node.text === '' && seam === null) continue;
    const tint = node.run?.stage === 'void' ? 'void' : node.kind;
    const last = runs.at(-1);
    if (last?.tint === tint && seam === null) runs[runs.length - 1] = { ...last, text: last.text + node.text };
    else runs.push({ tint, text: node.text, seam, isContextEnd: false });
  }
  return runs;
}
