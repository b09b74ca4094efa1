import { type KeyboardEvent, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { announce } from '../../ui/announce.tsx';
import { Button } from '../../ui/button.tsx';
import { cutReason } from '../../ui/cut-reason.ts';
import { Sheet } from '../../ui/dialog.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { useIsPhone } from '../../ui/media.ts';
import { Select } from '../../ui/select.tsx';
import { TokenDetails } from '../../ui/token-popover.tsx';
import { formatChance, isReshaped, rankOf, type TokenScale, visibleToken } from '../../ui/token-scale.ts';
import { type TokenPlace, type TokenSection, TokenText, tokenElementId } from '../../ui/token-text.tsx';
import { type Alternative, type Draft, type DraftToken, pathOf } from '../document/draft.ts';
import { branchWith, parametersOf } from '../document/seam-choices.ts';
import type { PlaygroundStore } from '../store/playground-store.ts';
import { offsetOf, tokenAt, tokenPlaces } from './token-places.ts';
import { SCORED, useScoredText } from './use-scored-text.ts';

const SCALES: readonly { readonly id: TokenScale; readonly label: string; readonly note: string }[] = [
  { id: 'probability', label: 'Probability', note: 'Red: the model gave the token little chance.' },
  { id: 'rank', label: 'Rank', note: 'Red: many tokens were more likely.' },
  { id: 'entropy', label: 'Entropy', note: 'Red: the model was undecided here.' },
];
const LEGENDS: Readonly<Record<TokenScale, readonly string[]>> = {
  probability: ['≥ 80 %', '≥ 50 %', '≥ 20 %', '≥ 5 %', '≥ 1 %', '< 1 %'],
  rank: ['1', '2', '3–4', '5–8', '9–16', '> 16'],
  entropy: ['≤ 0.25 bit', '≤ 0.75', '≤ 1.5', '≤ 2.25', '≤ 2.75', '> 2.75'],
};
const FOLLOW_PX = 80;
/** Beyond the end of any text: to read its height would lay it out once more. */
const SCROLL_END = 2 ** 30;

/** The text as tokens: how likely each was, and what else could have come. An alternative begins a branch. */
export function TokensView({
  store,
  draft,
  onEdit,
}: {
  readonly store: PlaygroundStore;
  readonly draft: Draft;
  /** Edit the text at this offset. */
  readonly onEdit: (offset: number) => void;
}) {
  const [scale, setScale] = useState<TokenScale>('probability');
  const scored = useScoredText(useMemo(() => pathOf(draft), [draft]));
  const { path } = scored;
  const sections = useMemo(
    (): readonly TokenSection[] =>
      path
        .filter((node) => node.text !== '' || (node.tokens?.length ?? 0) > 0)
        .map(({ id, text, tokens, isMoved }) => ({
          key: id,
          plain: tokens === null ? text : null,
          tokens: tokens ?? [],
          isMoved,
        })),
    [path],
  );
  const hasReshaped = useMemo(() => path.some((node) => node.tokens?.some(isReshaped)), [path]);
  const hasTokens = path.some((node) => (node.tokens?.length ?? 0) > 0);
  const [current, setCurrent] = useState<TokenPlace | null>(null);
  const [choice, setChoice] = useState<number | null>(null);
  const [isOpen, setOpen] = useState(false);
  const isPhone = useIsPhone();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const token = tokenAt(path, current);
  const node = path.find(({ id: each }) => each === current?.section) ?? null;
  const parameters = node === null ? {} : parametersOf(draft, node);
  useFollow(box, draft);

  const pick = (place: TokenPlace): void => {
    setCurrent(place);
    setChoice(null);
    setOpen(true);
    list.current?.focus();
  };
  const go = (step: number): void => {
    const places = tokenPlaces(path);
    const at = places.findIndex((place) => isSame(place, current));
    const from = at < 0 && step < 0 ? places.length : at;
    const next = places[Math.max(0, Math.min(places.length - 1, from + step))];
    if (next === undefined) return;
    setCurrent(next);
    setChoice(null);
    const arrived = tokenAt(path, next);
    if (arrived !== null) announce(spoken(arrived));
    requestAnimationFrame(() =>
      document.getElementById(tokenElementId(id, next))?.scrollIntoView({ block: 'nearest' }),
    );
  };
  const choose = (index: number): void => {
    if (token === null || token.top.length === 0) return;
    const next = Math.max(0, Math.min(token.top.length - 1, index));
    setChoice(next);
    setOpen(true);
    const alternative = token.top[next];
    if (alternative === undefined) return;
    const cut = cutReason(token, parameters, next);
    announce(`${spoken(alternative)}, ${next + 1} of ${token.top.length}${cut === null ? '' : `, ${cut}`}`);
  };
  const take = (alternative: Alternative | undefined): void => {
    if (current === null || token === null || alternative === undefined || alternative.id === token.id) return;
    setCurrent(null);
    setOpen(false);
    list.current?.focus();
    if (current.section === SCORED) store.takeInText(offsetOf(path, current), alternative, token.top);
    else store.take(current.section, current.index, alternative);
  };
  const edit = (): void => {
    if (current !== null) onEdit(offsetOf(path, current));
  };
  const press = (event: KeyboardEvent): void => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const { key } = event;
    if (key === 'ArrowRight' || key === 'ArrowLeft') go(key === 'ArrowRight' ? 1 : -1);
    else if (key === 'Home' || key === 'End') go(key === 'Home' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    else if (key === 'ArrowDown') choose(choice === null ? 0 : choice + 1);
    else if (key === 'ArrowUp' && choice !== null) choose(choice - 1);
    else if (key === 'Enter' && choice !== null) take(token?.top[choice]);
    else if (key === 'Enter') setOpen(true);
    else if (/^[1-9]$/.test(key)) take(token?.top[Number(key) - 1]);
    else if (key === 'e' || key === 'E') edit();
    else if (key === 'Escape' && isOpen) setOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const details = token !== null && node !== null && (
    <>
      <TokenDetails
        token={token}
        current={choice}
        isMoved={node.isMoved}
        parameters={parameters}
        hasBranch={(id) => current?.index === 0 && node.id !== SCORED && branchWith(draft, node.id, id) !== null}
        onTake={take}
      />
      <div className="playground-token-actions">
        <Button size="small" icon="pen" onPress={edit}>
          Edit from here
        </Button>
        <Button size="small" look="quiet" onPress={() => setOpen(false)}>
          Close
        </Button>
      </div>
    </>
  );
  const text = <TokenText sections={sections} scale={scale} current={current} onPick={pick} id={id} />;
  return (
    <div className="playground-tokens">
      <div className="playground-tokens-head">
        <Select label="Scale" isLabelHidden size="small" value={scale} onChange={setScale} choices={SCALES} />
        <ol className="ui-legend" aria-label={`Colours by ${scale}`}>
          {LEGENDS[scale].map((text, at) => (
            <li key={text} className={`ui-heat-${at + 1}`}>
              {text}
            </li>
          ))}
        </ol>
        {hasReshaped && (
          <span className="ui-legend ui-muted">
            <span className="ui-swatch ui-token-reshaped" />
            changed by parameters
          </span>
        )}
        {scored.canScore && (
          <Button size="small" look="quiet" isPending={scored.isPending} onPress={scored.score}>
            Score the typed text
          </Button>
        )}
        <span className="ui-muted playground-tokens-hint">← → token · ↓ alternatives · 1–9 take · E edit</span>
      </div>
      {scored.error !== null && <ErrorPanel error={scored.error} onRetry={scored.score} />}
      <div className="playground-paper" ref={box}>
        <div className="playground-token-sheet">
          {hasTokens ? (
            <div
              ref={list}
              className="playground-token-list"
              role="listbox"
              aria-label="Tokens"
              aria-activedescendant={current === null ? undefined : tokenElementId(id, current)}
              tabIndex={0}
              onKeyDown={press}
            >
              {text}
            </div>
          ) : (
            text
          )}
          {isOpen && !isPhone && current !== null && details && (
            <Floating anchorId={tokenElementId(id, current)} version={draft}>
              {details}
            </Floating>
          )}
        </div>
      </div>
      {isPhone && (
        <Sheet title="Token" isOpen={isOpen && details !== false} onClose={() => setOpen(false)}>
          {details}
        </Sheet>
      )}
    </div>
  );
}

/** A panel below an element of the same scrolled sheet, so that it moves with the text. */
function Floating({
  anchorId,
  version,
  children,
}: {
  readonly anchorId: string;
  /** The place is measured again when this changes. */
  readonly version: unknown;
  readonly children: React.ReactNode;
}) {
  const panel = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` stands for the layout of the text.
  useLayoutEffect(() => {
    const anchor = document.getElementById(anchorId);
    const element = panel.current;
    const sheet = element?.offsetParent;
    if (anchor === null || element === null || !(sheet instanceof HTMLElement)) return;
    const [from, to] = [anchor.getBoundingClientRect(), sheet.getBoundingClientRect()];
    const maxLeft = Math.max(0, to.width - element.offsetWidth - 16);
    element.style.left = `${Math.min(maxLeft, Math.max(16, from.left - to.left))}px`;
    element.style.top = `${from.bottom - to.top + 6}px`;
  }, [anchorId, version]);
  return (
    <div ref={panel} className="playground-floating" role="presentation">
      {children}
    </div>
  );
}

/** Keep the end of the text in view while it grows, when it is in view. */
function useFollow(box: React.RefObject<HTMLDivElement | null>, draft: Draft): void {
  const isNearEnd = useRef(true);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const note = (): void => {
      isNearEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < FOLLOW_PX;
    };
    element.addEventListener('scroll', note, { passive: true });
    return () => element.removeEventListener('scroll', note);
  }, [box]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text has grown when the draft has changed.
  useLayoutEffect(() => {
    if (box.current !== null && isNearEnd.current) box.current.scrollTop = SCROLL_END;
  }, [box, draft]);
}

function isSame(place: TokenPlace, other: TokenPlace | null): boolean {
  return other !== null && place.section === other.section && place.index === other.index;
}

function spoken(token: Pick<DraftToken, 'label' | 'logprob'> & Partial<Pick<DraftToken, 'top' | 'text'>>): string {
  const rank =
    token.top === undefined || token.logprob === null
      ? ''
      : `, rank ${rankOf({ logprob: token.logprob, top: token.top })}`;
  return `${visibleToken(token.label ?? token.text ?? '')}, ${formatChance(token.logprob)}${rank}`;
}
