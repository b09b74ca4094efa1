import type { AdminOverview } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useSession } from '../api/session.ts';
import { Figure, Figures } from '../ui/figure.tsx';
import { formatBytes, formatCount, formatDigits, formatDuration, formatPercent, formatPlural } from '../ui/formats.ts';
import { Meter } from '../ui/meter.tsx';
import { Lasting } from '../ui/relative-time.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { AdminPage } from './admin-page.tsx';
import { overviewQuery } from './admin-queries.ts';
import { MaintenancePanel } from './maintenance-panel.tsx';

export function OverviewPage() {
  const { user } = useSession();
  const overview = useQuery({ ...overviewQuery, enabled: user.role === 'owner' });
  return (
    <AdminPage title="Overview">
      <QueryView query={overview} skeleton={<Skeleton rows={8} height="3rem" />}>
        {(data) => (
          <>
            <Counts data={data} />
            <EnginePanel data={data} />
            <StorePanel data={data} />
            <MaintenancePanel state={data.maintenance} />
          </>
        )}
      </QueryView>
    </AdminPage>
  );
}

function Counts({ data }: { readonly data: AdminOverview }) {
  const { users, runs, webhooks, planRequests } = data;
  return (
    <section className="ui-panel" aria-label="Counts">
      <Figures>
        <Figure
          name="Users"
          value={<Link to="/admin/users">{formatCount(users.total)}</Link>}
          note={`${formatCount(users.activeToday)} active today, ${formatCount(users.disabled)} disabled`}
        />
        <Figure
          name="Requests for a plan"
          value={<Link to="/admin/plans">{formatCount(planRequests)}</Link>}
          note={planRequests === 0 ? 'none waits' : 'wait for you'}
        />
        <Figure name="Running" value={<Link to="/admin/queue">{formatCount(runs.running)}</Link>} note="runs" />
        <Figure
          name="Waiting"
          value={<Link to="/admin/queue">{formatCount(runs.received)}</Link>}
          note={runs.oldestWaitingMs === null ? 'runs' : `oldest ${formatDuration(runs.oldestWaitingMs)}`}
        />
        <Figure
          name="Webhook messages"
          value={formatCount(webhooks.waiting)}
          note={
            webhooks.openBreakers === 0
              ? 'waiting'
              : `waiting; ${formatPlural(webhooks.openBreakers, 'receiver')} rests`
          }
        />
        <Figure
          name="Running for"
          value={formatDuration(Math.max(0, Date.now() - data.startedAt.getTime()))}
          note={`version ${data.version}`}
        />
      </Figures>
    </section>
  );
}

function EnginePanel({ data }: { readonly data: AdminOverview }) {
  const { model, state, since, reason, cells, active, waiting, oldestWaitingMs, history, tokensPerSecond } =
    data.engine;
  const { samples } = history;
  const busy = samples.at(-1)?.busy ?? null;
  const shares = samples.map((sample) => sample.busy);
  const mean = shares.reduce((sum: number, share) => sum + (share ?? 0), 0) / Math.max(1, shares.length);
  return (
    <section className="ui-panel ui-stack">
      <div className="ui-actions">
        <h2>Engine</h2>
        <StateBadge
          state={state === 'ready' ? 'ready' : 'failing'}
          label={state === 'ready' ? 'ready' : 'unavailable'}
        />
        <span className="ui-muted">
          <Lasting since={since} /> · {model.name} {model.quantisation}
        </span>
      </div>
      {reason !== null && <p className="admin-reason">The engine does not answer: {reason}</p>}
      <div className="admin-engine">
        <Figures>
          <Figure name="Busy" value={busy === null ? '–' : formatPercent(busy)} note="of the last 5 s" />
          <Figure name="Running" value={active ?? '–'} note="generations" />
          <Figure
            name="Waiting"
            value={waiting ?? '–'}
            note={oldestWaitingMs ? `oldest ${formatDuration(oldestWaitingMs)}` : 'for cache'}
          />
          <Figure name="Speed" value={formatDigits(tokensPerSecond, 3)} note="tokens a second" />
        </Figures>
        <Sparkline
          values={shares}
          max={1}
          summary={`Busy for ${formatPercent(mean)} of the last ${formatDuration(samples.length * history.intervalSeconds * 1000)}`}
        />
      </div>
      <Meter label="Cache" used={cells.used ?? 0} limit={cells.total} unit="cells" />
    </section>
  );
}

function StorePanel({ data }: { readonly data: AdminOverview }) {
  const { store, disk } = data;
  const name = store.kind === 'embedded' ? 'Embedded PostgreSQL' : 'PostgreSQL server';
  return (
    <section className="ui-panel ui-stack">
      <div className="ui-actions">
        <h2>Store</h2>
        <span className="ui-muted">
          {name}, {formatBytes(store.bytes)}
        </span>
      </div>
      {disk === null ? (
        <p className="ui-muted">Its server knows how much room its disk has.</p>
      ) : (
        <Meter
          label="Disk of the data folder"
          used={disk.totalBytes - disk.freeBytes}
          limit={disk.totalBytes}
          format={formatBytes}
        >
          {formatBytes(disk.freeBytes)} free
        </Meter>
      )}
    </section>
  );
}
