import { type ReactNode, useLayoutEffect, useMemo, useRef } from 'react';
import { type Seam, seamsOf } from '../document/branching.ts';
import { type Draft, type NodeId, pathOf } from '../document/draft.ts';
import { changeBetween, type TextChange } from '../document/edit-text.ts';
import { tintedRuns } from './tinted-runs.ts';

/** Space in pixels from the end of the text within which new text scrolls into view. */
const FOLLOW_PX = 80;

/**
 * A text area over a copy of its text that shows where the text comes from. Both have the same metrics, so that selection,
 * input methods and keyboards of phones are those of the browser.
 */
export function TextEditor({
  draft,
  onEdit,
  onSibling,
  onUndo,
  onRedo,
  caret,
}: {
  readonly draft: Draft;
  readonly onEdit: (change: TextChange) => void;
  readonly onSibling: (step: number, node: NodeId) => void;
  readonly onUndo: () => void;
  readonly onRedo: () => void;
  /** Where the caret is at first; null: at the end, without the focus. */
  readonly caret: number | null;
}) {
  const path = useMemo(() => pathOf(draft), [draft]);
  const seams = useMemo(() => seamsOf(draft), [draft]);
  const runs = useMemo(() => tintedRuns(path, new Set(seams.map(({ node }) => node))), [path, seams]);
  const text = useMemo(() => path.map((node) => node.text).join(''), [path]);
  const area = useRef<HTMLTextAreaElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const isComposing = useRef(false);

  useLayoutEffect(() => {
    const field = area.current;
    const box = scroller.current;
    if (field === null || box === null || isComposing.current || field.value === text) return;
    const isNearEnd = box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOW_PX;
    const { selectionStart, selectionEnd, value } = field;
    const wasAtEnd = selectionStart === value.length;
    const change = changeBetween(value, text, Math.min(selectionStart, text.length));
    field.value = text;
    // The caret stays where it was in the text around it.
    const moved = (at: number): number =>
      at <= change.start ? at : Math.max(change.start, at + text.length - value.length);
    if (wasAtEnd) field.setSelectionRange(text.length, text.length);
    else field.setSelectionRange(moved(selectionStart), moved(selectionEnd));
    if (isNearEnd) box.scrollTop = box.scrollHeight;
  }, [text]);

  useLayoutEffect(() => {
    if (caret === null) return;
    area.current?.focus();
    area.current?.setSelectionRange(caret, caret);
  }, [caret]);

  // Undo of the browser's menus: its own history knows nothing of generations.
  useLayoutEffect(() => {
    const field = area.current;
    const listen = (event: InputEvent): void => {
      if (event.inputType !== 'historyUndo' && event.inputType !== 'historyRedo') return;
      event.preventDefault();
      if (event.inputType === 'historyUndo') onUndo();
      else onRedo();
    };
    field?.addEventListener('beforeinput', listen);
    return () => field?.removeEventListener('beforeinput', listen);
  }, [onUndo, onRedo]);

  /** While an input method composes, the text area shows its own text. */
  const compose = (on: boolean): void => {
    isComposing.current = on;
    scroller.current?.classList.toggle('playground-composing', on);
  };
  const accept = (): void => {
    const field = area.current;
    if (field === null) return;
    const change = changeBetween(text, field.value, field.selectionStart);
    if (change.start !== change.end || change.insert !== '') onEdit(change);
  };
  const seamOf = new Map(seams.map((seam) => [seam.node, seam]));
  return (
    <div className="playground-paper" ref={scroller}>
      <div className="playground-sheet">
        <div className="playground-backdrop">
          {runs.map(({ id, tint, text: shown }) => (
            <TintedText key={id} tint={tint} seam={seamOf.get(id)} onSibling={onSibling}>
              {shown}
            </TintedText>
          ))}
          {/* A last line without letters has no height of its own. */}
          {'\u200b'}
        </div>
        <textarea
          ref={area}
          className="playground-area"
          aria-label="Text"
          placeholder="Write the beginning of a text. The model goes on from there."
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          defaultValue={text}
          onInput={() => {
            if (!isComposing.current) accept();
          }}
          onCompositionStart={() => compose(true)}
          onCompositionEnd={() => {
            compose(false);
            accept();
          }}
        />
      </div>
    </div>
  );
}

function TintedText({
  tint,
  seam,
  onSibling,
  children,
}: {
  readonly tint: string;
  readonly seam: Seam | undefined;
  readonly onSibling: (step: number, node: NodeId) => void;
  readonly children: ReactNode;
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
          <span>
            {seam.index + 1}/{seam.count}
          </span>
          <button
            type="button"
            aria-label={`Next of ${seam.count} continuations`}
            onClick={() => onSibling(1, seam.node)}
          >
            ›
          </button>
        </span>
      )}
      <span className={`playground-text playground-text-${tint}`} aria-hidden="true">
        {children}
      </span>
    </>
  );
}
