import type { RunSummary } from '@gptj-cloud/sdk';
import { NotFoundError } from '@gptj-cloud/sdk';
import { cloud } from '../api/cloud.ts';
import { Confirm } from '../ui/confirm.tsx';
import { formatPlural } from '../ui/formats.ts';
import { toast } from '../ui/toasts.tsx';

/** Requests at the same time. */
const AT_ONCE = 4;

export function DeleteRuns({
  runs,
  onClose,
  onDeleted,
}: {
  readonly runs: readonly Pick<RunSummary, 'id' | 'endedAt'>[];
  readonly onClose: () => void;
  readonly onDeleted: (ids: ReadonlySet<string>) => void;
}) {
  const ended = runs.filter(({ endedAt }) => endedAt !== null);
  const open = runs.length - ended.length;
  const remove = async (): Promise<void> => {
    const deleted = new Set<string>();
    const waiting = [...ended];
    const work = async (): Promise<void> => {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
        await deleteRun(run.id);
        deleted.add(run.id);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      if (deleted.size > 0) {
        onDeleted(deleted);
        toast(`${formatPlural(deleted.size, 'run')} deleted.`);
      }
    }
  };
  return (
    <Confirm
      title={ended.length === 0 ? 'No selected run has ended' : `Delete ${formatPlural(ended.length, 'run')}`}
      action="Delete"
      isBlocked={ended.length === 0}
      isOpen
      onClose={onClose}
      onConfirm={remove}
    >
      <p>
        {ended.length > 0 &&
          'Their prompts, results and events are deleted for good. Usage and costs stay as they are. '}
        {open === 1 && '1 run has not ended and stays: cancel it first.'}
        {open > 1 && `${formatPlural(open, 'run')} have not ended and stay: cancel them first.`}
      </p>
    </Confirm>
  );
}

async function deleteRun(id: string): Promise<void> {
  try {
    await cloud().deleteRun(id);
  } catch (error) {
    // It is gone already.
    if (!(error instanceof NotFoundError)) throw error;
  }
}
