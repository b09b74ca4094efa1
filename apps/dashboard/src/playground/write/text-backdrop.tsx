import { memo } from 'react';
import { formatDigits } from '../../ui/formats.ts';
import type { NodeId } from '../document/draft.ts';
import type { TextBlock, TextPiece } from './text-blocks.ts';

type OnSibling = (step: number, node: NodeId) => void;
type OnSeam = (node: NodeId) => void;

/** The painted text below the text area. */
export function TextBackdrop({
  blocks,
  onSibling,
  onSeam,
}: {
  readonly blocks: readonly TextBlock[];
  readonly onSibling: OnSibling;
  readonly onSeam: OnSeam;
}) {
  const end = blocks.findLast((block) => block.length > 0)?.at(-1)?.text ?? '';
  return (
    <div className="playground-backdrop">
      {blocks.map((block, at) => (
        <Block
          // biome-ignore lint/suspicious/noArrayIndexKey: text is appended, a block keeps its place.
          key={at}
          block={block}
          onSibling={onSibling}
          onSeam={onSeam}
          hasEmptyLine={at === blocks.length - 1 && end.endsWith('\n')}
        />
      ))}
    </div>
  );
}

const Block = memo(
  function Block({
    block,
    onSibling,
    onSeam,
    hasEmptyLine,
  }: {
    readonly block: TextBlock;
    readonly onSibling: OnSibling;
    readonly onSeam: OnSeam;
    /** A last line without letters has no height of its own. */
    readonly hasEmptyLine: boolean;
  }) {
    return (
      <div>
        {block.map((piece, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: text is appended, a piece keeps its place.
          <Piece key={at} piece={piece} onSibling={onSibling} onSeam={onSeam} />
        ))}
        {hasEmptyLine && <br />}
      </div>
    );
  },
  (before, after) =>
    before.onSibling === after.onSibling &&
    before.onSeam === after.onSeam &&
    before.hasEmptyLine === after.hasEmptyLine &&
    before.block.length === after.block.length &&
    before.block.every((piece, at) => isSame(piece, after.block[at])),
);

function Piece({
  piece: { tint, text, seam, isContextEnd },
  onSibling,
  onSeam,
}: {
  readonly piece: TextPiece;
  readonly onSibling: OnSibling;
  readonly onSeam: OnSeam;
}) {
  return (
    <>
      {seam && (
        <span className="playground-seam">
          <button
            type="button"
            aria-label={`Previous of ${seam.count} continuations`}
            onClick={() => onSibling(-1, seam.node)}
          >
            ‹
          </button>
          <button
            type="button"
            className="playground-seam-count"
            aria-label={`${seam.index + 1}/${seam.count} continuations: show them`}
            onClick={() => onSeam(seam.node)}
          >
            {seam.index + 1}/{seam.count}
          </button>
          <button
            type="button"
            aria-label={`Next of ${seam.count} continuations`}
            onClick={() => onSibling(1, seam.node)}
          >
            ›
          </button>
          {seam.mean !== null && <span className="playground-seam-score">{formatDigits(seam.mean, 2)} nat</span>}
        </span>
      )}
      {isContextEnd && <span className="playground-context-end">context ends</span>}
      <span className={`playground-text playground-text-${tint}`} aria-hidden="true">
        {text}
      </span>
    </>
  );
}

function isSame(piece: TextPiece, other: TextPiece | undefined): boolean {
  return (
    other !== undefined &&
    piece.tint === other.tint &&
    piece.text === other.text &&
    piece.isContextEnd === other.isContextEnd &&
    piece.seam?.node === other.seam?.node &&
    piece.seam?.index === other.seam?.index &&
    piece.seam?.count === other.seam?.count &&
    piece.seam?.mean === other.seam?.mean
  );
}
