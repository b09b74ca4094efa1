import type { ModelServing } from '@gptj-cloud/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';

/** What the server serves, with what an owner can end without a restart. */
export function ServedModels({ isOwner }: { readonly isOwner: boolean }) {
  const queries = useQueryClient();
  const [ended, setEnded] = useState<ModelServing | null>(null);
  const served = useQuery({
    queryKey: [...keys.admin, 'served'],
    enabled: isOwner,
    queryFn: ({ signal }) => cloud().models.served({ signal }),
  });
  return (
    <section className="ui-stack">
      <h2>Served</h2>
      <QueryView query={served} skeleton={<Skeleton rows={2} height="2.75rem" />}>
        {(models) => (
          <DataTable
            label="Served models"
            columns={columnsOf(setEnded)}
            items={models}
            idOf={({ name }) => name}
            empty={<EmptyState text="No model is served." />}
          />
        )}
      </QueryView>
      {ended !== null && (
        <Confirm
          title={`Stop serving ${ended.name}`}
          action="Stop serving it"
          isOpen
          onClose={() => setEnded(null)}
          onConfirm={async () => {
            await cloud().models.stopServing(ended.name);
            await queries.invalidateQueries({ queryKey: keys.admin });
            toast(`${ended.name} is served no longer.`);
          }}
        >
          <p>
            New requests for it are refused at once, generations that have begun go on to their end. Its file stays, and
            it can be served again. The audit log names you.
          </p>
        </Confirm>
      )}
    </section>
  );
}

const TONES: Readonly<Record<string, string>> = { loaded: 'ready', loading: 'running', failed: 'failed' };

/** Every state is an icon, a word and a colour. */
function badgeOf(state: string): { readonly state: string; readonly label: string } {
  return { state: TONES[state] ?? 'waiting', label: state };
}

function columnsOf(onEnd: (model: ModelServing) => void): readonly TableColumn<ModelServing>[] {
  return [
    { id: 'name', name: 'Name', isTitle: true, cell: ({ name }) => <span className="admin-name">{name}</span> },
    { id: 'state', name: 'State', width: '7rem', cell: ({ state }) => <StateBadge {...badgeOf(state)} /> },
    {
      id: 'model',
      name: 'Model',
      cell: ({ model, reason }) => (
        <span className="admin-name">
          {model ?? 'from the settings'}
          {reason !== null && <span className="admin-reason"> {reason}</span>}
        </span>
      ),
    },
    {
      id: 'actions',
      name: '',
      width: '9rem',
      align: 'end',
      cell: (model) =>
        model.from === 'store' && (
          <Button look="quiet" size="small" onPress={() => onEnd(model)}>
            Stop serving
          </Button>
        ),
    },
  ];
}
