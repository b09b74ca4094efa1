import { useSyncExternalStore } from 'react';
import { announce } from './announce.tsx';
import { IconButton } from './button.tsx';
import { Icon } from './icons.tsx';
import './toasts.css';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'ok' | 'bad' | 'info';
  /** A way back, such as Undo. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

const STAY_MS = 6_000;
let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

/** A short message at the foot of the page: `toast('The token is disabled.')`. It is announced, and goes after some seconds. */
export function toast(text: string, options: Partial<Pick<Toast, 'tone' | 'action'>> = {}): void {
  const id = nextId++;
  set([
    ...toasts.slice(-2),
    { id, text, tone: options.tone ?? 'ok', ...(options.action && { action: options.action }) },
  ]);
  announce(text);
  // A message with a way back stays twice as long, one of an error stays until it is closed.
  if (options.tone !== 'bad') setTimeout(() => close(id), options.action ? 2 * STAY_MS : STAY_MS);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <section className="ui-toasts" aria-label="Messages">
      {shown.map(({ id, text, tone, action }) => (
        <div key={id} className={`ui-toast ui-toast-${tone}`}>
          <Icon name={tone === 'bad' ? 'failed' : tone === 'info' ? 'info' : 'done'} />
          <span>{text}</span>
          {action && (
            <button
              type="button"
              className="ui-toast-action"
              onClick={() => {
                action.run();
                close(id);
              }}
            >
              {action.label}
            </button>
          )}
          <IconButton label="Close this message" icon="close" size="small" onPress={() => close(id)} />
        </div>
      ))}
    </section>
  );
}

function close(id: number): void {
  set(toasts.filter((each) => each.id !== id));
}

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
