import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { lazy, memo, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { IconButton } from '../ui/button.tsx';
import { useIsPhone } from '../ui/media.ts';
import { Menu } from '../ui/menu.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { type Shortcut, useShortcuts } from '../ui/shortcuts.ts';
import { Skeleton } from '../ui/states.tsx';
import { ActionBar } from './action-bar.tsx';
import { type Draft, type NodeId, pathOf } from './document/draft.ts';
import { titleOf } from './drafts/draft-saver.ts';
import { DraftsMenu } from './drafts/drafts-menu.tsx';
import { Examples } from './examples.tsx';
import { GenerationNote } from './generation-note.tsx';
import { Notices } from './notices.tsx';
import { draftInAddress } from './open-from-address.ts';
import { useSettings } from './parameters/use-settings.tsx';
import type { PlaygroundSearch } from './playground-search.ts';
import { copyShareLink } from './share/copy-share-link.ts';
import type { PlaygroundStore } from './store/playground-store.ts';
import { usePlayground } from './store/use-playground.ts';
import { TextEditor } from './write/text-editor.tsx';
import './playground.css';

const route = getRouteApi('/playground');

const BeamsView = lazy(() => import('./beams/beams-view.tsx').then((parts) => ({ default: parts.BeamsView })));

// Shown where a server has several models.
const ModelChoice = lazy(async () => ({ default: (await import('./model/model-choice.tsx')).ModelChoice }));

// Loaded when they are opened.
const BranchesDrawer = lazy(async () => ({ default: (await import('./branches/branches-drawer.tsx')).BranchesDrawer }));
const CodeDialog = lazy(async () => ({ default: (await import('./code/code-dialog.tsx')).CodeDialog }));
const CompareView = lazy(async () => ({ default: (await import('./compare/compare-view.tsx')).CompareView }));
const SeamSheet = lazy(async () => ({ default: (await import('./branches/seam-sheet.tsx')).SeamSheet }));
const TokensView = lazy(async () => ({ default: (await import('./tokens/tokens-view.tsx')).TokensView }));

type View = NonNullable<PlaygroundSearch['view']>;

const VIEWS: readonly { readonly id: View; readonly label: string }[] = [
  { id: 'write', label: 'Write' },
  { id: 'tokens', label: 'Tokens' },
  { id: 'compare', label: 'Compare' },
];
/** Where the parameters or the last generation have beams. */
const BEAMS = { id: 'beams', label: 'Beams' } as const;

/** One text that the user and the model write together. */
export function PlaygroundPage() {
  const { view = 'write', run } = route.useSearch();
  // The address is read once: afterwards it is that of the page, so that a reload opens the stored draft.
  const [make] = useState(() => draftInAddress(run, location.hash));
  const navigate = useNavigate({ from: '/playground' });
  const { store, state } = usePlayground(make);
  const { draft, isLoaded } = state;
  useEffect(() => {
    if (make === null || !isLoaded) return;
    void navigate({ search: ({ run: _, ...search }) => search, hash: '', replace: true });
  }, [make, isLoaded, navigate]);
  /** Where the editor puts the caret when it is shown. */
  const [caret, setCaret] = useState<number | null>(null);
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  /** The node at whose beginning the ways to go on are shown. */
  const [seam, setSeam] = useState<NodeId | null>(null);
  const closeOverlay = (): void => setOverlay(null);
  const show = useCallback(
    (next: View) => void navigate({ search: (search) => ({ ...search, view: next }), replace: true }),
    [navigate],
  );
  const settings = useSettings(store, state);
  useKeys(store, view, show);
  const isEmpty = isLoaded && state.problem === null && draft.here === draft.root && draft.nodes.size === 1;
  return (
    <div className="playground">
      <PageHead
        title="Playground"
        beside={
          <>
            <DraftsMenu store={store} draftId={draft.id} title={titleOf(draft)} />
            <Suspense>
              <ModelChoice />
            </Suspense>
            {view !== 'compare' && settings.chip}
          </>
        }
      >
        <Views view={view} hasBeams={hasBeams(draft)} />
        <DraftActions store={store} onOpen={setOverlay} />
      </PageHead>
      <Suspense>
        {overlay === 'branches' && <BranchesDrawer store={store} draft={draft} onClose={closeOverlay} />}
        {overlay === 'code' && <CodeDialog draft={draft} onClose={closeOverlay} />}
        {seam !== null && draft.nodes.has(seam) && (
          <SeamSheet store={store} draft={draft} node={seam} onClose={() => setSeam(null)} />
        )}
      </Suspense>
      <div className="playground-main">
        <Notices store={store} state={state} />
        {/* Before the stored draft is read there is no text that could be edited. */}
        {!isLoaded && view === 'write' && <WaitingText />}
        {isLoaded && view === 'write' && (
          <TextEditor
            draft={draft}
            onEdit={store.edit}
            onSibling={store.goToSibling}
            onSeam={setSeam}
            onUndo={store.undo}
            onRedo={store.redo}
            caret={caret}
            contextEnd={settings.contextEnd}
          />
        )}
        {view === 'tokens' && (
          <Suspense>
            <TokensView
              store={store}
              draft={draft}
              onEdit={(offset) => {
                setCaret(offset);
                show('write');
              }}
            />
          </Suspense>
        )}
        {isLoaded && view === 'beams' && (
          <Suspense fallback={null}>
            <BeamsView store={store} state={state} />
          </Suspense>
        )}
        {isLoaded && view === 'compare' && (
          <Suspense>
            <CompareView store={store} draft={draft} onAdopted={() => show('write')} />
          </Suspense>
        )}
        {isEmpty && view === 'write' && (
          <Examples onChoose={(text) => store.edit({ start: 0, end: 0, insert: text })} />
        )}
        {view !== 'compare' && (
          <>
            <GenerationNote state={state} />
            <ActionBar store={store} state={state} refusal={settings.refusal} beside={settings.button}>
              {settings.line}
            </ActionBar>
          </>
        )}
      </div>
      {view !== 'compare' && settings.panel}
    </div>
  );
}

type Overlay = 'branches' | 'code';

function WaitingText() {
  return (
    <div className="playground-paper">
      <div className="playground-sheet playground-waiting">
        <Skeleton rows={4} height="1.25rem" />
      </div>
    </div>
  );
}

/** What can be done with the text; in a menu where the window is narrow. */
const DraftActions = memo(function DraftActions({
  store,
  onOpen,
}: {
  readonly store: PlaygroundStore;
  readonly onOpen: (overlay: Overlay) => void;
}) {
  const isPhone = useIsPhone();
  const actions = [
    { id: 'branches', label: 'Branches', icon: 'branch', onAction: () => onOpen('branches') },
    { id: 'code', label: 'Code', icon: 'code', onAction: () => onOpen('code') },
    {
      id: 'share',
      label: 'Copy a link to this text',
      icon: 'share',
      onAction: () => void copyShareLink(store.get().draft),
    },
  ] as const;
  if (!isPhone) {
    return actions.map(({ id, label, icon, onAction }) => (
      <IconButton key={id} label={label} icon={icon} onPress={onAction} />
    ));
  }
  return (
    <Menu
      label="Actions"
      placement="bottom end"
      trigger={<IconButton label="Actions" icon="more" />}
      groups={[{ entries: actions }]}
    />
  );
});

const Views = memo(function Views({ view, hasBeams }: { readonly view: View; readonly hasBeams: boolean }) {
  return (
    <nav className="playground-views" aria-label="Views of the text">
      {(view === 'beams' || hasBeams ? [...VIEWS, BEAMS] : VIEWS).map(({ id, label }) => (
        <Link
          key={id}
          to="/playground"
          search={(search) => ({ ...search, view: id })}
          className="playground-view"
          aria-current={view === id ? 'true' : undefined}
          activeProps={{}}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
});

function hasBeams(draft: Draft): boolean {
  const run = pathOf(draft).findLast((node) => node.run !== null)?.run;
  return [draft.parameters, run?.parameters].some((parameters) => Number(parameters?.num_beams ?? 1) > 1);
}

function useKeys(store: PlaygroundStore, view: View, show: (view: View) => void): void {
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
      { keys: 'alt+t', label: 'Tokens', group, run: () => show(view === 'tokens' ? 'write' : 'tokens') },
      { keys: 'alt+c', label: 'Compare', group, run: () => show(view === 'compare' ? 'write' : 'compare') },
      { keys: 'alt+s', label: 'Lock the seed', group, run: store.toggleSeedLock },
    ];
  }, [store, view, show]);
  useShortcuts(shortcuts);
}
