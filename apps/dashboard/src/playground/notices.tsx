import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Icon } from '../ui/icons.tsx';
import { problemOf } from '../ui/problem.ts';
import { textOf } from './document/draft.ts';
import type { PlaygroundState, PlaygroundStore } from './store/playground-store.ts';

/** What the user must know about the draft, the store and the last request. */
export function Notices({ store, state }: { readonly store: PlaygroundStore; readonly state: PlaygroundState }) {
  const { notice, problem, storageProblem, retryAtMs } = state;
  if (notice === null && problem === null && storageProblem === null && retryAtMs === null) return null;
  return (
    <div className="playground-notices">
      {retryAtMs !== null && (
        <p className="playground-notice playground-notice-warn" role="status">
          <Icon name="alert" />
          The connection is lost. The text stays, the run goes on, and this page follows it again as soon as the server
          answers.
        </p>
      )}
      {notice !== null && (
        <p className="playground-notice" role="status">
          <Icon name="info" />
          {notice}
          <Button size="small" look="quiet" onPress={store.dismissNotice}>
            Close
          </Button>
        </p>
      )}
      {storageProblem !== null && (
        <p className="playground-notice playground-notice-warn" role="status">
          <Icon name="alert" />
          This browser does not store drafts: {problemOf(storageProblem).message} The text is lost when the page is
          closed.
        </p>
      )}
      {problem !== null && (
        <ErrorPanel error={problem} onRetry={textOf(state.draft) === '' ? undefined : store.generate}>
          <Button size="small" look="quiet" onPress={store.dismissProblem}>
            Close
          </Button>
        </ErrorPanel>
      )}
    </div>
  );
}
