import { memo, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { flowingToken, heatOf, isReshaped, rankOf, type TokenChance, type TokenScale } from './token-scale.ts';
import './token-text.css';

export interface ShownToken extends TokenChance {
  /** Its share of the text. */
  readonly text: string;
  /** Its own text; null where the server has sent ids alone. */
  readonly label: string | null;
}

/** Text without tokens, or tokens; keys are stable while text is appended. */
export interface TokenSection {
  readonly key: string;
  readonly plain: string | null;
  readonly tokens: readonly ShownToken[];
  /** The context has changed since: the figures are those of another text. */
  readonly isMoved?: boolean;
}

export interface TokenPlace {
  readonly section: string;
  readonly index: number;
}

const CHUNK = 48;
const NEAR = '600px 0px';

/**
 * Text as tokens, coloured by surprise. Only tokens near the window are elements; the others are plain text of the same shape.
 * The parent moves `current`, for this is one focusable list.
 */
export function TokenText({
  sections,
  scale,
  current,
  onPick,
  id,
}: {
  readonly sections: readonly TokenSection[];
  readonly scale: TokenScale;
  readonly current: TokenPlace | null;
  readonly onPick: (place: TokenPlace) => void;
  /** Prefix of the ids of tokens. */
  readonly id: string;
}) {
  return sections.map(({ key, plain, tokens, isMoved = false }) =>
    plain !== null ? (
      <span key={key} className="ui-token-plain" role="presentation">
        {plain}
      </span>
    ) : (
      chunksOf(tokens).map((chunk, at) => (
        <Chunk
          // biome-ignore lint/suspicious/noArrayIndexKey: tokens are appended, a chunk keeps its place.
          key={`${key}-${at}`}
          id={`${id}-${key}`}
          tokens={chunk}
          start={at * CHUNK}
          scale={scale}
          isMoved={isMoved}
          current={current?.section === key && Math.floor(current.index / CHUNK) === at ? current.index : null}
          onPick={(index) => onPick({ section: key, index })}
        />
      ))
    ),
  );
}

/** The id of the element of a token, for `aria-activedescendant`. */
export function tokenElementId(id: string, { section, index }: TokenPlace): string {
  return `${id}-${section}-${index}`;
}

function chunksOf(tokens: readonly ShownToken[]): readonly (readonly ShownToken[])[] {
  return Array.from({ length: Math.ceil(tokens.length / CHUNK) }, (_, at) =>
    tokens.slice(at * CHUNK, (at + 1) * CHUNK),
  );
}

interface ChunkProps {
  readonly id: string;
  readonly tokens: readonly ShownToken[];
  /** Index of the first token in its section. */
  readonly start: number;
  readonly scale: TokenScale;
  readonly isMoved: boolean;
  readonly current: number | null;
  readonly onPick: (index: number) => void;
}

const Chunk = memo(
  function Chunk({ id, tokens, start, scale, isMoved, current, onPick }: ChunkProps) {
    const element = useRef<HTMLSpanElement>(null);
    const isNear = useIsNear(element) || current !== null;
    return (
      // biome-ignore lint/a11y/noStaticElementInteractions: its tokens are the options, one listener serves them.
      <span
        ref={element}
        className={isMoved ? 'ui-tokens ui-tokens-moved' : 'ui-tokens'}
        role="presentation"
        onClick={(event) => {
          const index = Number((event.target as HTMLElement).dataset.index);
          if (Number.isInteger(index)) onPick(index);
        }}
      >
        {isNear
          ? tokens.map((token, at) => (
              <Token
                // biome-ignore lint/suspicious/noArrayIndexKey: a token keeps its place.
                key={at}
                id={id}
                token={token}
                index={start + at}
                scale={scale}
                isCurrent={current === start + at}
              />
            ))
          : tokens.map(shownText).join('')}
      </span>
    );
  },
  (before, after) =>
    before.scale === after.scale &&
    before.current === after.current &&
    before.isMoved === after.isMoved &&
    before.start === after.start &&
    before.tokens.length === after.tokens.length &&
    before.tokens.every((token, at) => token === after.tokens[at]),
);

const Token = memo(function Token({
  id,
  token,
  index,
  scale,
  isCurrent,
}: {
  readonly id: string;
  readonly token: ShownToken;
  readonly index: number;
  readonly scale: TokenScale;
  readonly isCurrent: boolean;
}) {
  const heat = heatOf(token, scale);
  const rank = rankOf(token);
  const marks = rank > 10 ? ' ui-token-rare' : rank > 1 ? ' ui-token-other' : '';
  return (
    <span
      id={`${id}-${index}`}
      role="option"
      tabIndex={-1}
      aria-selected={isCurrent}
      data-index={index}
      className={`ui-token${heat === null ? '' : ` ui-heat-${heat}`}${isReshaped(token) ? ' ui-token-reshaped' : ''}${marks}${isCurrent ? ' ui-token-current' : ''}`}
    >
      {shownText(token)}
    </span>
  );
});

/** A part of a character shows its place, or it could not be chosen. */
function shownText({ text, label }: ShownToken): string {
  if (text !== '') return flowingToken(text);
  return label === null || label.startsWith('bytes:') ? '▫' : flowingToken(label);
}

function useIsNear(element: RefObject<HTMLElement | null>): boolean {
  const [isNear, setNear] = useState(false);
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return;
    const observer = new IntersectionObserver(([entry]) => setNear(entry?.isIntersecting ?? false), {
      rootMargin: NEAR,
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return isNear;
}
