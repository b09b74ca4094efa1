import { useHealth } from '../api/health.ts';
import { Button } from '../ui/button.tsx';
import { useSecondsLeft } from '../ui/countdown.tsx';
import { Icon } from '../ui/icons.tsx';

/**
 * Shown while the server does not answer, or answers that it is not ready. What is on the page stays where it is: the bar
 * takes the place of the breadcrumb, or lies over the end of a phone's page.
 */
export function OfflineBar() {
  const { state, reason, nextCheckAt, checkNow } = useHealth();
  if (state !== 'lost' && state !== 'not-ready') return null;
  return (
    <div className="shell-notice shell-offline" role="status">
      <p>
        <Icon name="alert" />
        <span className="ui-cut">
          {state === 'lost'
            ? 'The server does not answer; what is on this page stays.'
            : `The server is not ready${reason === null ? '' : `: no answer from ${reason}`}. Runs have to wait.`}
        </span>
      </p>
      {state === 'lost' && <NextCheck at={nextCheckAt} />}
      <Button size="small" look="quiet" onPress={checkNow}>
        Try now
      </Button>
    </div>
  );
}

function NextCheck({ at }: { readonly at: number }) {
  const seconds = useSecondsLeft(Math.max(0, at - Date.now()));
  return (
    <span className="shell-offline-next" aria-hidden="true">
      {seconds > 0 ? `Trying again in ${seconds} s` : 'Trying again'}
    </span>
  );
}
