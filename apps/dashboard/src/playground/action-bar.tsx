import { memo, type ReactNode } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import { useIsPhone } from '../ui/media.ts';
import { retryPointOf } from './document/branching.ts';
import { pathOf } from './document/draft.ts';
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
  return (
    <div className="playground-actions">
      <div className="ui-actions playground-buttons">
        <BackButtons
          store={store}
          canUndo={canUndo(draft)}
          canRedo={canRedo(draft)}
          canRetry={retryPointOf(draft) !== null}
        />
        {beside}
      </div>
      <div className="playground-check">{children}</div>
      <GoButton
        store={store}
        isRunning={running.length > 0}
        isStopping={stopping.length > 0}
        isDisabled={refusal !== null || pathOf(draft).every((node) => node.text === '')}
      />
    </div>
  );
}

// The state changes with every frame while tokens arrive, the buttons do not.

const BackButtons = memo(function BackButtons({
  store,
  canUndo,
  canRedo,
  canRetry,
}: {
  readonly store: PlaygroundStore;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly canRetry: boolean;
}) {
  const isPhone = useIsPhone();
  return (
    <>
      <IconButton label="Undo" icon="undo" isDisabled={!canUndo} onPress={store.undo} />
      {!isPhone && <IconButton label="Redo" icon="redo" isDisabled={!canRedo} onPress={store.redo} />}
      <Button look="quiet" icon="refresh" isDisabled={!canRetry} onPress={store.retry}>
        Retry
      </Button>
    </>
  );
});

const GoButton = memo(function GoButton({
  store,
  isRunning,
  isStopping,
  isDisabled,
}: {
  readonly store: PlaygroundStore;
  readonly isRunning: boolean;
  readonly isStopping: boolean;
  readonly isDisabled: boolean;
}) {
  return isRunning ? (
    <Button icon="stop" isPending={isStopping} onPress={store.stop}>
      Stop
    </Button>
  ) : (
    <Button look="primary" icon="play" isDisabled={isDisabled} onPress={store.generate}>
      Generate
    </Button>
  );
});
