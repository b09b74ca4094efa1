import type { ReactNode } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import { useIsPhone } from '../ui/media.ts';
import { retryPointOf } from './document/branching.ts';
import { textOf } from './document/draft.ts';
import { canRedo, canUndo } from './document/history.ts';
import type { PlaygroundState, PlaygroundStore } from './store/playground-store.ts';

/** Undo, Redo, Retry, and Generate or Stop, with `children` between them. */
export function ActionBar({
  store,
  state,
  refusal = null,
  beside,
  children,
}: {
  readonly store: PlaygroundStore;
  readonly state: PlaygroundState;
  /** Why the text cannot be continued now. */
  readonly refusal?: string | null;
  /** After Retry: opens the parameters on a phone. */
  readonly beside?: ReactNode;
  readonly children?: ReactNode;
}) {
  const { draft, running, stopping } = state;
  const isPhone = useIsPhone();
  const canRetry = retryPointOf(draft) !== null;
  const isEmpty = textOf(draft) === '';
  return (
    <div className="playground-actions">
      <div className="ui-actions playground-buttons">
        <IconButton label="Undo" icon="undo" isDisabled={!canUndo(draft)} onPress={store.undo} />
        {!isPhone && <IconButton label="Redo" icon="redo" isDisabled={!canRedo(draft)} onPress={store.redo} />}
        <Button look="quiet" icon="refresh" isDisabled={!canRetry} onPress={store.retry}>
          Retry
        </Button>
        {beside}
      </div>
      <div className="playground-check">{children}</div>
      {running.length > 0 ? (
        <Button icon="stop" isPending={stopping.length > 0} onPress={store.stop}>
          Stop
        </Button>
      ) : (
        <Button look="primary" icon="play" isDisabled={isEmpty || refusal !== null} onPress={store.generate}>
          Generate
        </Button>
      )}
    </div>
  );
}
