import { memo, type RefObject, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { seamsOf } from '../document/branching.ts';
import { type Draft, type NodeId, pathOf } from '../document/draft.ts';
import { changeBetween, type TextChange } from '../document/edit-text.ts';
import { TextBackdrop } from './text-backdrop.tsx';
import { textBlocks } from './text-blocks.ts';

/** Space in pixels from the end of the text within which new text scrolls into view. */
const FOLLOW_PX = 80;
/** Beyond the end of any text: to read its height would lay it out once more. */
const SCROLL_END = 2 ** 30;
const LAG_MS = 250;

/**
 * A text area over a copy of its text that shows where the text comes from. Both have the same metrics, so that selection,
 * input methods and keyboards of phones are those of the browser.
 */
export function TextEditor({
  draft,
  onEdit,
  onSibling,
  onSeam,
  onUndo,
  onRedo,
  caret,
  contextEnd,
}: {
  readonly draft: Draft;
  readonly onEdit: (change: TextChange) => void;
  readonly onSibling: (step: number, node: NodeId) => void;
  /** Show how the text goes on where a node begins. */
  readonly onSeam: (node: NodeId) => void;
  readonly onUndo: () => void;
  readonly onRedo: () => void;
  /** Where the caret is at first; null: at the end, without the focus. */
  readonly caret: number | null;
  /** Offset from which on the text does not fit into the context; null where all of it does. */
  readonly contextEnd: number | null;
}) {
  const path = useMemo(() => pathOf(draft), [draft]);
  const blocks = useMemo(() => textBlocks(path, seamsOf(draft), contextEnd), [path, draft, contextEnd]);
  const text = useMemo(() => path.map((node) => node.text).join(''), [path]);
  // `sync` brings every later text.
  const [textAtFirst] = useState(text);
  const area = useRef<HTMLTextAreaElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const isComposing = useRef(false);

  const isNearEnd = useRef(true);
  const shown = useRef(text);
  const waiting = useRef<string | null>(null);

  /** Give the text area the text, with the caret where it was in the text around it. */
  const sync = useCallback((next: string | null): void => {
    const field = area.current;
    waiting.current = null;
    if (field === null || next === null || isComposing.current || next === shown.current) return;
    const { selectionStart, selectionEnd, value } = field;
    const wasAtEnd = selectionStart === value.length;
    const change = changeBetween(value, next, Math.min(selectionStart, next.length));
    field.value = next;
    shown.current = next;
    const moved = (at: number): number =>
      at <= change.start ? at : Math.max(change.start, at + next.length - value.length);
    if (wasAtEnd) field.setSelectionRange(next.length, next.length);
    else field.setSelectionRange(moved(selectionStart), moved(selectionEnd));
  }, []);

  // The backdrop paints the text. While tokens are appended, the invisible text of the area may lag behind it for a moment:
  // to lay out both in every frame takes twice as long. Anything that the user does brings it up to date first.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (isNearEnd.current && box !== null) box.scrollTop = SCROLL_END;
    if (!text.startsWith(shown.current)) sync(text);
    else if (text !== shown.current) {
      if (waiting.current === null) setTimeout(() => sync(waiting.current), LAG_MS);
      waiting.current = text;
    }
  }, [text, sync]);

  useLayoutEffect(() => {
    const field = area.current;
    const box = scroller.current;
    const bringUp = (): void => sync(waiting.current);
    const note = (): void => {
      if (box !== null) isNearEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOW_PX;
    };
    const acts = ['keydown', 'pointerdown', 'beforeinput', 'focus'] as const;
    for (const act of acts) field?.addEventListener(act, bringUp, true);
    box?.addEventListener('scroll', note, { passive: true });
    return () => {
      for (const act of acts) field?.removeEventListener(act, bringUp, true);
      box?.removeEventListener('scroll', note);
    };
  }, [sync]);

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

  const accept = useCallback((): void => {
    const field = area.current;
    if (field === null || isComposing.current) return;
    const change = changeBetween(shown.current, field.value, field.selectionStart);
    shown.current = field.value;
    if (change.start !== change.end || change.insert !== '') onEdit(change);
  }, [onEdit]);
  /** While an input method composes, the text area shows its own text. */
  const compose = useCallback(
    (on: boolean): void => {
      isComposing.current = on;
      scroller.current?.classList.toggle('playground-composing', on);
      if (!on) accept();
    },
    [accept],
  );
  return (
    <div className="playground-paper" ref={scroller}>
      <div className="playground-sheet">
        <TextBackdrop blocks={blocks} onSibling={onSibling} onSeam={onSeam} />
        <TextArea ref={area} textAtFirst={textAtFirst} onInput={accept} onCompose={compose} />
      </div>
    </div>
  );
}

/** Rendered once: with every rendering React writes the first text into the document again. */
const TextArea = memo(function TextArea({
  ref,
  textAtFirst,
  onInput,
  onCompose,
}: {
  readonly ref: RefObject<HTMLTextAreaElement | null>;
  readonly textAtFirst: string;
  readonly onInput: () => void;
  /** An input method has begun or ended to compose. */
  readonly onCompose: (on: boolean) => void;
}) {
  return (
    <textarea
      ref={ref}
      className="playground-area"
      aria-label="Text"
      placeholder="Write the beginning of a text. The model goes on from there."
      spellCheck={false}
      autoComplete="off"
      autoCapitalize="off"
      defaultValue={textAtFirst}
      onInput={onInput}
      onCompositionStart={() => onCompose(true)}
      onCompositionEnd={() => onCompose(false)}
    />
  );
});
