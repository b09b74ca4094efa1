/** The drawn tree: scrolls in both directions, renders what is near the window, and is walked with the arrow keys. */
import {
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { announce } from '../../ui/announce.tsx';
import { formatDigits } from '../../ui/formats.ts';
import { formatChance, visibleToken } from '../../ui/token-scale.ts';
import { type BeamLayout, type Direction, layOut, neighbour, type PlacedNode } from './beam-layout.ts';
import type { BeamNode, BeamTree } from './beam-tree.ts';

const COLUMN = 96;
const ROW = 32;
const PADDING = 16;
/** Beyond the window on each side. */
const MARGIN = 400;
/** Room for the score behind the last column. */
const TAIL = 128;

interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const ARROWS: ReadonlyMap<string, Direction> = new Map([
  ['ArrowLeft', 'left'],
  ['ArrowRight', 'right'],
  ['ArrowUp', 'up'],
  ['ArrowDown', 'down'],
]);

export function BeamCanvas({
  tree,
  withDropped,
  isLive,
  onTake,
}: {
  readonly tree: BeamTree;
  readonly withDropped: boolean;
  /** The newest step is kept in view. */
  readonly isLive: boolean;
  /** Continue the text from this node. */
  readonly onTake: (node: BeamNode) => void;
}) {
  const layout = useMemo(() => layOut(tree, withDropped), [tree, withDropped]);
  const box = useRef<HTMLDivElement>(null);
  const shown = useWindow(box);
  const [currentId, setCurrent] = useState<number | null>(null);
  const id = useId();
  const width = 2 * PADDING + layout.columns * COLUMN + TAIL;
  const height = 2 * PADDING + layout.rows * ROW;
  const current = layout.byId.get(currentId ?? -1) ?? null;

  useLayoutEffect(() => {
    if (isLive && box.current !== null) box.current.scrollLeft = width;
  }, [isLive, width]);

  const go = (place: PlacedNode): void => {
    setCurrent(place.node.id);
    announce(spoken(place.node, tree));
    const { x, y } = cornerOf(place);
    const element = box.current;
    if (element === null) return;
    element.scrollLeft = clampScroll(element.scrollLeft, x, COLUMN, element.clientWidth);
    element.scrollTop = clampScroll(element.scrollTop, y, ROW, element.clientHeight);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = ARROWS.get(event.key);
    if (event.key === 'Enter' && current !== null) onTake(current.node);
    else if (event.key === 'Home' && layout.placed[0] !== undefined) go(layout.placed[0]);
    else if (event.key === 'End' && current !== null) go(endOfRow(layout, current));
    else if (direction === undefined) return;
    else if (current === null) go(layout.placed[0] ?? endOfNothing());
    else go(neighbour(layout, current, direction));
    event.preventDefault();
  };
  if (layout.placed.length === 0) return <p className="ui-muted playground-beams-empty">Waiting for the first step.</p>;
  const near = layout.placed.filter((place) => place === current || isNear(place, shown));
  return (
    <>
      <div
        ref={box}
        className="playground-beams-box"
        role="tree"
        aria-label="Beams: arrow keys walk, Enter continues the text from there"
        aria-activedescendant={current === null ? undefined : `${id}-${current.node.id}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div className="playground-beams-plane" style={{ width, height }}>
          <svg width={width} height={height} aria-hidden="true">
            {near.map((place) => (
              <Link key={place.node.id} place={place} tree={tree} />
            ))}
          </svg>
          {near.map((place) => (
            <NodeChip
              key={place.node.id}
              id={`${id}-${place.node.id}`}
              place={place}
              tree={tree}
              isCurrent={place === current}
              onPick={() => go(place)}
              onTake={() => onTake(place.node)}
            />
          ))}
        </div>
      </div>
      <p className="playground-beams-detail">
        {current === null
          ? 'Arrow keys walk from token to token.'
          : `${spoken(current.node, tree)} · Enter continues the text from here`}
      </p>
    </>
  );
}

function Link({ place, tree }: { readonly place: PlacedNode; readonly tree: BeamTree }) {
  const { before, node } = place;
  const to = cornerOf(place);
  const y = to.y + ROW / 2;
  const from = before === null ? { x: 0, y } : { x: cornerOf(before).x + 8, y: cornerOf(before).y + ROW / 2 };
  const bend = to.x - 8;
  const path =
    from.y === y
      ? `M${from.x} ${y}H${to.x}`
      : `M${from.x} ${from.y}H${bend - 8}Q${bend} ${from.y} ${bend} ${from.y + 8}V${y - 8}Q${bend} ${y} ${bend + 8} ${y}`;
  const chance = chanceOf(node, tree);
  const className = `playground-beams-link${node.isKept ? '' : ' playground-beams-link-dropped'}`;
  return <path className={className} d={path} strokeWidth={chance === null ? 1 : 1 + 5 * chance} />;
}

function NodeChip({
  id,
  place,
  tree,
  isCurrent,
  onPick,
  onTake,
}: {
  readonly id: string;
  readonly place: PlacedNode;
  readonly tree: BeamTree;
  readonly isCurrent: boolean;
  readonly onPick: () => void;
  readonly onTake: () => void;
}) {
  const { node } = place;
  const { x, y } = cornerOf(place);
  const returned = node.returned === null ? null : (tree.returned[node.returned] ?? null);
  const state = returned !== null ? 'returned' : node.isKept ? 'kept' : 'dropped';
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus and names its active item.
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys of its items.
    <div
      id={id}
      role="treeitem"
      aria-level={node.depth}
      aria-selected={isCurrent}
      className={`playground-beams-node playground-beams-${state}`}
      data-current={isCurrent || undefined}
      style={{ transform: `translate(${x}px, ${y}px)` }}
      onClick={isCurrent ? onTake : onPick}
    >
      <span className="playground-beams-token">{visibleToken(node.label)}</span>
      {returned !== null && (
        <span className="playground-beams-score">
          {formatScore(returned.score)} · {(node.returned ?? 0) + 1}
        </span>
      )}
      <span className="ui-hidden">{detailsOf(node, tree)}</span>
    </div>
  );
}

function cornerOf({ node, row }: PlacedNode): { readonly x: number; readonly y: number } {
  return { x: PADDING + (node.depth - 1) * COLUMN, y: PADDING + row * ROW };
}

/** Probability of a token after its beam; null where the scores are not known. */
function chanceOf({ score, parent }: BeamNode, { nodes }: BeamTree): number | null {
  const before = parent === null ? null : (nodes[parent]?.score ?? null);
  return score === null || before === null ? null : Math.min(1, Math.exp(score - before));
}

/** `·who: step 4, 28 %, score −6.55, kept` */
function spoken(node: BeamNode, tree: BeamTree): string {
  return `${visibleToken(node.label)}: ${detailsOf(node, tree)}`;
}

function detailsOf(node: BeamNode, tree: BeamTree): string {
  const chance = chanceOf(node, tree);
  return [
    `step ${node.depth}`,
    chance === null ? null : formatChance(Math.log(chance)),
    node.score === null ? null : `score ${formatScore(node.score)}`,
    node.returned !== null ? `returned as number ${node.returned + 1}` : node.isKept ? 'kept' : 'dropped',
  ]
    .filter((part) => part !== null)
    .join(', ');
}

function formatScore(score: number | null): string {
  return score === null ? '' : formatDigits(score, 4);
}

function endOfRow({ placed }: BeamLayout, from: PlacedNode): PlacedNode {
  return placed.findLast(({ row }) => row === from.row) ?? from;
}

function endOfNothing(): never {
  throw new RangeError('expected a node to walk to, got an empty tree');
}

function isNear(place: PlacedNode, { left, top, width, height }: Window): boolean {
  const { x, y } = cornerOf(place);
  // A link reaches from the row of the node before.
  const from = place.before === null ? y : Math.min(y, cornerOf(place.before).y);
  return (
    x + COLUMN > left - MARGIN && x < left + width + MARGIN && y + ROW > top - MARGIN && from < top + height + MARGIN
  );
}

function clampScroll(scroll: number, at: number, size: number, length: number): number {
  if (at - size < scroll) return at - size;
  return at + 2 * size > scroll + length ? at + 2 * size - length : scroll;
}

/** What is in view, at most once a frame. */
function useWindow(box: RefObject<HTMLDivElement | null>): Window {
  const [shown, setShown] = useState<Window>({ left: 0, top: 0, width: 1600, height: 1000 });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let frame = 0;
    const read = (): void => {
      frame = 0;
      const { scrollLeft: left, scrollTop: top, clientWidth: width, clientHeight: height } = element;
      setShown({ left, top, width, height });
    };
    const later = (): void => {
      if (frame === 0) frame = requestAnimationFrame(read);
    };
    read();
    element.addEventListener('scroll', later, { passive: true });
    const resized = new ResizeObserver(later);
    resized.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener('scroll', later);
      resized.disconnect();
    };
  }, [box]);
  return shown;
}
