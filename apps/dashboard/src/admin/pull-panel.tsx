import type { Pull } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { formatBytes, formatDuration } from '../ui/formats.ts';
import { Meter } from '../ui/meter.tsx';
import { fieldErrorsOf } from '../ui/problem.ts';
import { type Choice, Select } from '../ui/select.tsx';
import { StateBadge } from '../ui/state-badge.tsx';

const PULLS = [...keys.admin, 'pulls'] as const;
/** Interval of reading the progress where its stream is lost. */
const LOST_POLL_MS = 5_000;
const FIT = 'fit';
const TYPES: readonly Choice<string>[] = [
  { id: FIT, label: 'the best that fits' },
  ...['f16', 'q8_0', 'q6_K', 'q5_K_M', 'q4_K_M', 'q4_0'].map((id) => ({ id, label: id })),
];
const PHASES: Readonly<Record<Pull['phase'], string>> = {
  preparing: 'Reading the listing of the hub',
  downloading: 'Downloading',
  converting: 'Converting',
};
const BADGES = { running: 'running', stored: 'ready', failed: 'failed', cancelled: 'cancelled' } as const;

/** The form of a pull, and the latest one with its progress. */
export function PullPanel({ isOwner }: { readonly isOwner: boolean }) {
  const queries = useQueryClient();
  const [isLost, setIsLost] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const pulls = useQuery({
    queryKey: PULLS,
    enabled: isOwner,
    refetchInterval: isLost ? LOST_POLL_MS : false,
    queryFn: ({ signal }) => cloud().models.pulls({ signal }),
  });
  const latest = pulls.data?.[0];
  const runningId = latest?.state === 'running' ? latest.id : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt follows the same pull again.
  useEffect(() => {
    setIsLost(false);
    if (runningId === null) return;
    const stop = new AbortController();
    void follow(runningId, stop.signal, (pull) => {
      queries.setQueryData<readonly Pull[]>(PULLS, (known = []) => [pull, ...known.filter(({ id }) => id !== pull.id)]);
    }).then(async (hasEnded) => {
      if (stop.signal.aborted) return;
      setIsLost(!hasEnded);
      await queries.invalidateQueries({ queryKey: keys.admin });
    });
    return () => stop.abort();
  }, [runningId, attempt, queries]);
  return (
    <section className="ui-panel ui-stack">
      <h2>Pull a model</h2>
      <PullForm isBusy={runningId !== null} onStarted={() => queries.invalidateQueries({ queryKey: PULLS })} />
      {pulls.error !== null && <ErrorPanel error={pulls.error} />}
      {latest !== undefined && <PullProgress pull={latest} />}
      {isLost && runningId !== null && (
        <div className="ui-actions" role="status">
          <p className="admin-reason">
            Contact with the server was lost: the progress is read every few seconds. The pull goes on without this
            page.
          </p>
          <Button onPress={() => setAttempt((count) => count + 1)}>Follow it again</Button>
        </div>
      )}
    </section>
  );
}

/** Until the pull or the connection has ended: whether the pull has. The list is read again then. */
async function follow(id: string, signal: AbortSignal, onState: (pull: Pull) => void): Promise<boolean> {
  try {
    for await (const pull of cloud().models.followPull(id, { signal })) onState(pull);
    return true;
  } catch {
    // The query that follows shows what is wrong with the connection.
    return false;
  }
}

function PullForm({ isBusy, onStarted }: { readonly isBusy: boolean; readonly onStarted: () => Promise<void> }) {
  const [from, setFrom] = useState('gpt-j-6b');
  const [type, setType] = useState(FIT);
  const start = useMutation({
    mutationFn: () => cloud().models.pull({ from: from.trim(), type: type === FIT ? null : type }),
    onSuccess: onStarted,
  });
  const fault = fieldErrorsOf(start.error).from;
  return (
    <form
      className="ui-stack"
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <div className="admin-pull">
        <Field
          label="Name on the hub"
          hint="gpt-j-6b, or OWNER/NAME@REVISION of a fine-tune"
          value={from}
          onChange={setFrom}
          isMono
          autoComplete="off"
          {...(fault === undefined ? {} : { error: fault })}
        />
        <Select label="Type" choices={TYPES} value={type} onChange={setType} hint="fewer bits are smaller and faster" />
        <Button type="submit" look="primary" isPending={start.isPending} isDisabled={isBusy || from.trim() === ''}>
          Pull
        </Button>
      </div>
      {start.error !== null && fault === undefined && <ErrorPanel error={start.error} />}
    </form>
  );
}

function PullProgress({ pull }: { readonly pull: Pull }) {
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cloud().models.cancelPull(pull.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.admin }),
  });
  const { state, phase, doneBytes, totalBytes, plan, error } = pull;
  return (
    <div className="ui-stack">
      <div className="ui-panel-head admin-head">
        <div className="ui-actions">
          <strong className="admin-name">{pull.model ?? pull.from}</strong>
          <StateBadge state={BADGES[state]} label={state} />
        </div>
        {state === 'running' && (
          <Button isPending={cancel.isPending} onPress={() => cancel.mutate()}>
            Cancel
          </Button>
        )}
      </div>
      {plan !== null && (
        <p className="ui-muted">
          Type {plan.type}: {plan.reason}. It becomes a file of {formatBytes(plan.fileBytes)}.
        </p>
      )}
      {state === 'running' && (
        <Meter label={PHASES[phase]} used={doneBytes} limit={totalBytes === 0 ? null : totalBytes} format={formatBytes}>
          {rateOf(pull)}
        </Meter>
      )}
      {pull.waiting !== null && <p className="admin-reason">{pull.waiting}</p>}
      {error !== null && <p className="admin-reason">{error.message}</p>}
      {state === 'cancelled' && <p className="ui-muted">What was downloaded is kept: the same pull goes on there.</p>}
      {pull.warnings.map((warning) => (
        <p key={warning} className="ui-muted">
          {warning}
        </p>
      ))}
      {cancel.error !== null && <ErrorPanel error={cancel.error} />}
    </div>
  );
}

function rateOf({ bytesPerSecond, secondsLeft }: Pull): string | null {
  if (bytesPerSecond === null || secondsLeft === null) return null;
  return `${formatBytes(bytesPerSecond)}/s, ${formatDuration(secondsLeft * 1000)} left`;
}
