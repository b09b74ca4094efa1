import type { AdminOverview, ServerSetting } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSession } from '../api/session.ts';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { FilterBar } from '../ui/filter-bar.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { AdminPage } from './admin-page.tsx';
import { overviewQuery } from './admin-queries.ts';
import { BackupPanel } from './backup-panel.tsx';
import { MaintenancePanel } from './maintenance-panel.tsx';

export function ServerPage() {
  const { user } = useSession();
  const overview = useQuery({ ...overviewQuery, enabled: user.role === 'owner' });
  return (
    <AdminPage title="Server">
      <QueryView query={overview} skeleton={<Skeleton rows={8} height="2.75rem" />}>
        {(data) => (
          <>
            <p className="ui-muted">
              gptj-cloud {data.version} on Node {data.node}, started <RelativeTime at={data.startedAt} />.
            </p>
            <MaintenancePanel state={data.maintenance} />
            <BackupPanel store={data.store} />
            <Settings settings={data.settings} />
          </>
        )}
      </QueryView>
    </AdminPage>
  );
}

const columns: readonly TableColumn<ServerSetting>[] = [
  {
    id: 'name',
    name: 'Setting',
    isTitle: true,
    cell: ({ name, help }) => (
      <span className="admin-user">
        <code>{name}</code>
        <span className="ui-muted admin-help">{plain(help)}</span>
      </span>
    ),
  },
  { id: 'group', name: 'Group', width: '8rem', cell: ({ group }) => group },
  { id: 'value', name: 'Value', width: '18rem', cell: (setting) => <Value setting={setting} /> },
];

function Settings({ settings }: { readonly settings: AdminOverview['settings'] }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const shown = settings.filter(({ name, help, group }) => `${name} ${group} ${help}`.toLowerCase().includes(wanted));
  return (
    <section className="ui-stack">
      <h2>Settings</h2>
      <p className="ui-muted admin-intro">
        As the server read them at its start. Change them in its environment, then start it again.
      </p>
      <FilterBar search={{ label: 'Name or meaning', value: text, onChange: setText }} />
      <DataTable
        label="Settings"
        columns={columns}
        items={shown}
        idOf={({ name }) => name}
        empty="No setting matches."
      />
    </section>
  );
}

function Value({ setting }: { readonly setting: ServerSetting }) {
  const { value, isSet, isSecret } = setting;
  if (isSecret) return <span className="ui-muted">{isSet ? 'set, secret' : 'not set'}</span>;
  if (value !== null) return <code>{value}</code>;
  return <span className="ui-muted">{plain(setting.default)}, the default</span>;
}

/** Without the signs of Markdown. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '').replaceAll(/\[([^\]]{1,200})\]\([^)]{1,200}\)/g, '$1');
}
