import type { StoredModel } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { formatBytes } from '../ui/formats.ts';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { AdminPage } from './admin-page.tsx';
import { PullPanel } from './pull-panel.tsx';
import { ServedModels } from './served-models.tsx';

export function ModelsPage() {
  const { user } = useSession();
  const queries = useQueryClient();
  const [removed, setRemoved] = useState<StoredModel | null>(null);
  const stored = useQuery({
    queryKey: [...keys.admin, 'models'],
    enabled: user.role === 'owner',
    queryFn: ({ signal }) => cloud().models.list({ signal }),
  });
  const serve = useMutation({
    mutationFn: ({ name, type }: StoredModel) => cloud().models.serve({ model: `${name}.${type}` }),
    onSuccess: async ({ name }) => {
      await queries.invalidateQueries({ queryKey: keys.admin });
      toast(`${name} is served: the first request loads it.`);
    },
  });
  return (
    <AdminPage title="Models">
      <ServedModels isOwner={user.role === 'owner'} />
      <QueryView query={stored} skeleton={<Skeleton rows={3} height="2.75rem" />}>
        {({ models, disk }) => (
          <section className="ui-stack">
            <h2>In the data folder</h2>
            <p className="ui-muted admin-intro">
              {formatBytes(disk.freeBytes)} of {formatBytes(disk.totalBytes)} are free. <code>GPTJ_MODEL</code> and{' '}
              <code>gptj serve --model</code> take a name, which the server reads at its start; “Serve” needs no
              restart.
            </p>
            {serve.error !== null && <ErrorPanel error={serve.error} />}
            <DataTable
              label="Stored models"
              columns={columnsOf(setRemoved, (model) => serve.mutate(model))}
              items={models}
              idOf={({ name, type }) => `${name}.${type}`}
              empty={<EmptyState text="No model is stored yet: the server has the embedded one." />}
            />
          </section>
        )}
      </QueryView>
      {/* Below what is listed, and after it: its progress moves nothing. */}
      {(user.role !== 'owner' || !stored.isPending) && <PullPanel isOwner={user.role === 'owner'} />}
      {removed !== null && (
        <Confirm
          title={`Delete ${removed.name}.${removed.type}`}
          action="Delete the model"
          isOpen
          onClose={() => setRemoved(null)}
          onConfirm={async () => {
            const { freedBytes } = await cloud().models.delete(`${removed.name}.${removed.type}`);
            await queries.invalidateQueries({ queryKey: keys.admin });
            toast(`The model is deleted: ${formatBytes(freedBytes)} are free again.`);
          }}
        >
          <p>Its file is removed from the data folder. It can be pulled again. The audit log names you.</p>
        </Confirm>
      )}
    </AdminPage>
  );
}

function columnsOf(
  onRemove: (model: StoredModel) => void,
  onServe: (model: StoredModel) => void,
): readonly TableColumn<StoredModel>[] {
  return [
    { id: 'name', name: 'Name', isTitle: true, cell: ({ name }) => <span className="admin-name">{name}</span> },
    { id: 'type', name: 'Type', width: '6rem', cell: ({ type }) => <code>{type}</code> },
    { id: 'size', name: 'Size', width: '6rem', align: 'end', cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
    {
      id: 'source',
      name: 'Source',
      cell: ({ source }) => (
        <span className="admin-name">
          {source.from}
          {source.revision === null ? '' : `@${source.revision}`}
        </span>
      ),
    },
    {
      id: 'checksum',
      name: 'SHA-256',
      width: '11rem',
      isWideOnly: true,
      cell: ({ checksum }) => (
        <span className="admin-id">
          <code>{checksum.slice(0, 12)}…</code>
          <CopyButton text={checksum} label="Copy the SHA-256 of the model" />
        </span>
      ),
    },
    {
      id: 'actions',
      name: '',
      width: '10rem',
      align: 'end',
      cell: (model) =>
        model.isServed ? (
          <span className="ui-muted">served</span>
        ) : (
          <>
            <Button look="quiet" size="small" onPress={() => onServe(model)}>
              Serve
            </Button>
            <Button look="quiet" size="small" onPress={() => onRemove(model)}>
              Delete
            </Button>
          </>
        ),
    },
  ];
}
