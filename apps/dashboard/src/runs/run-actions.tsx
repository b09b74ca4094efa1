import type { Run } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button, ButtonLink, IconButton } from '../ui/button.tsx';
import { useIsPhone } from '../ui/media.ts';
import { Menu } from '../ui/menu.tsx';
import { problemOf } from '../ui/problem.ts';
import { defined } from '../ui/search-values.ts';
import { toast } from '../ui/toasts.tsx';
import { inputQuery } from './run-input.ts';

const CodeDialog = lazy(async () => ({ default: (await import('./code-dialog.tsx')).CodeDialog }));
const DeleteRuns = lazy(async () => ({ default: (await import('./delete-runs.tsx')).DeleteRuns }));

/** What can be done with a run: open, repeat, copy as code, end, delete. */
export function RunActions({ run }: { readonly run: Run }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const isPhone = useIsPhone();
  const [open, setOpen] = useState<'none' | 'code' | 'delete'>('none');
  const close = (): void => setOpen('none');
  const start = useMutation({
    mutationFn: async (isExact: boolean) => {
      const { prompt, parameters } = await queries.fetchQuery(inputQuery(run.id));
      const seed = isExact && run.seed !== null ? { seed: run.seed } : {};
      return await cloud().startRun(run.pipeline.id, [prompt, { ...parameters, ...seed }]);
    },
    onSuccess: ({ id }, isExact) =>
      void navigate({
        to: '/runs/$runId',
        params: { runId: id },
        search: defined({ of: isExact ? run.id : undefined }),
      }),
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  const cancel = useMutation({
    mutationFn: () => cloud().cancelRun(run.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.run(run.id) }),
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  return (
    <>
      {run.endedAt === null && (
        <Button icon="stop" isPending={cancel.isPending} onPress={() => cancel.mutate()}>
          Cancel
        </Button>
      )}
      <ButtonLink to="/playground" search={{ run: run.id }} look="primary" icon="pen">
        Open in playground
      </ButtonLink>
      <Button icon="refresh" isPending={start.isPending} onPress={() => start.mutate(true)}>
        {isPhone ? 'Replay' : 'Replay exactly'}
      </Button>
      <Menu
        label="More actions"
        placement="bottom end"
        trigger={<IconButton label="More actions" icon="more" look="plain" />}
        groups={[
          {
            entries: [
              { id: 'again', label: 'Run again', icon: 'play', onAction: () => start.mutate(false) },
              { id: 'code', label: 'Code', icon: 'code', onAction: () => setOpen('code') },
            ],
          },
          {
            entries: [
              {
                id: 'delete',
                label: 'Delete',
                icon: 'trash',
                isDanger: true,
                isDisabled: run.endedAt === null,
                onAction: () => setOpen('delete'),
              },
            ],
          },
        ]}
      />
      <Suspense>
        {open === 'code' && <CodeDialog run={run} onClose={close} />}
        {open === 'delete' && (
          <DeleteRuns
            runs={[run]}
            onClose={close}
            onDeleted={() => {
              queries.removeQueries({ queryKey: keys.run(run.id) });
              void navigate({ to: '/runs' });
            }}
          />
        )}
      </Suspense>
    </>
  );
}
