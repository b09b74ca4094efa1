import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { PageHead } from '../ui/page-head.tsx';
import { type Shortcut, useShortcuts } from '../ui/shortcuts.ts';
import { ActionBar } from './action-bar.tsx';
import { DraftsMenu } from './drafts/drafts-menu.tsx';
import { Examples } from './examples.tsx';
import { GenerationNote } from './generation-note.tsx';
import { Notices } from './notices.tsx';
import type { PlaygroundStore } from './store/playground-store.ts';
import { usePlayground } from './store/use-playground.ts';
import { TextEditor } from './write/text-editor.tsx';
import './playground.css';

const route = getRouteApi('/playground');

/** One text that the user and the model write together. */
export function PlaygroundPage() {
  const { view = 'write' } = route.useSearch();
  const { store, state } = usePlayground();
  const { draft, isLoaded } = state;
  useKeys(store);
  const isEmpty = isLoaded && draft.here === draft.root && draft.nodes.size === 1;
  return (
    <div className="playground">
      <PageHead title="Playground" beside={<DraftsMenu store={store} state={state} />} />
      <Notices store={store} state={state} />
      <div className="playground-main">
        {view === 'write' && (
          <TextEditor
            draft={draft}
            onEdit={store.edit}
            onSibling={store.goToSibling}
            onUndo={store.undo}
            onRedo={store.redo}
          />
        )}
        {isEmpty && <Examples onChoose={(text) => store.edit({ start: 0, end: 0, insert: text })} />}
        <GenerationNote state={state} />
        <ActionBar store={store} state={state} />
      </div>
    </div>
  );
}

function useKeys(store: PlaygroundStore): void {
  const shortcuts = useMemo((): readonly Shortcut[] => {
    const group = 'Playground';
    return [
      { keys: 'mod+enter', label: 'Generate', group, run: store.generate },
      { keys: 'esc', label: 'Stop', group, inFields: true, run: store.stop },
      { keys: 'mod+z', label: 'Undo an edit or a generation', group, run: store.undo },
      { keys: 'mod+shift+z', label: 'Redo', group, run: store.redo },
      { keys: 'alt+enter', label: 'Retry: another continuation', group, run: store.retry },
      { keys: 'alt+left', label: 'Previous continuation', group, run: () => store.goToSibling(-1) },
      { keys: 'alt+right', label: 'Next continuation', group, run: () => store.goToSibling(1) },
      { keys: 'alt+up', label: 'Before the last step', group, run: store.goToParent },
    ];
  }, [store]);
  useShortcuts(shortcuts);
}
