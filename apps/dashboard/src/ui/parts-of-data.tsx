import { useState } from 'react';
import { Chart } from './chart.tsx';
import { CopyCode } from './copy-code.tsx';
import { DataTable } from './data-table.tsx';
import { Figure, Figures } from './figure.tsx';
import { FilterBar } from './filter-bar.tsx';
import { formatBytes, formatDate, formatDigits, formatDuration, formatMoney, formatPlural } from './formats.ts';
import { Json } from './json.tsx';
import { Meter } from './meter.tsx';
import { Part } from './parts-section.tsx';
import { RelativeTime } from './relative-time.tsx';
import { MaskedSecret, Secret } from './secret.tsx';
import { Select } from './select.tsx';
import { StateBadge } from './state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from './states.tsx';
import { Tabs } from './tabs.tsx';
import { Timeline } from './timeline.tsx';

const DAYS = Array.from({ length: 14 }, (_, day) => `${day + 1} Nov`);
const ROWS = [
  { id: 'run_1', state: 'complete', prompt: 'Once upon a time', ms: 630, cost: 0.0004 },
  { id: 'run_2', state: 'failed', prompt: 'I met a traveller from an antique land, who said', ms: 2_100, cost: 0.02 },
  { id: 'run_3', state: 'running', prompt: 'حكاية 🦊 with emoji and right-to-left text', ms: 14_600, cost: 0 },
];

/** The parts that show data. */
export function DataParts() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [tab, setTab] = useState('text');
  const [search, setSearch] = useState('');
  return (
    <>
      <Part name="StateBadge, RelativeTime, formats">
        {['received', 'running', 'complete', 'failed', 'cancelled', 'requested', 'expired'].map((state) => (
          <StateBadge key={state} state={state} />
        ))}
        <RelativeTime at={new Date(Date.now() - 190_000)} />
        <RelativeTime at={null} />
        <span>
          {formatPlural(1204, 'run')} · {formatBytes(312e6)} · {formatDuration(125_000)} · {formatMoney(13.61, 'usd')} ·{' '}
          {formatDigits(14.63, 3)} tok/s · {formatDate(new Date())}
        </span>
      </Part>
      <section className="ui-panel ui-stack">
        <h2>Figure, Meter</h2>
        <Figures>
          <Figure name="Runs" value="1,204" change={0.12} better="up" />
          <Figure name="Tokens" value="61.2 k" change={-0.034} />
          <Figure name="Errors" value="0.4 %" change={0.5} better="down" />
          <Figure name="Time to the first token" value="0.4" unit="s" note="half of the runs" />
        </Figures>
        <Meter label="This month" used={61_204} reserved={9_000} limit={200_000} unit="tokens">
          lasts about 9 days
        </Meter>
        <Meter label="Today" used={18_310} limit={20_000} unit="tokens" />
        <Meter label="Runs at the same time" used={2} limit={null} unit="runs" />
      </section>
      <section className="ui-panel ui-stack">
        <h2>Chart</h2>
        <Chart
          label="Tokens per day"
          places={DAYS}
          series={[
            { name: 'ci', values: DAYS.map((_, day) => 900 + ((day * 37) % 11) * 120) },
            { name: 'playground', values: DAYS.map((_, day) => ((day * 53) % 7) * 150) },
          ]}
          isLastIncomplete
        />
        <Chart
          label="Time of a run"
          kind="lines"
          places={DAYS}
          series={[
            { name: 'p50', values: DAYS.map((_, day) => 400 + ((day * 17) % 5) * 40) },
            { name: 'p95', values: DAYS.map((_, day) => 1_300 + ((day * 29) % 9) * 90) },
          ]}
          format={formatDuration}
          forecastFrom={11}
        />
      </section>
      <section className="ui-panel ui-stack">
        <h2>FilterBar, DataTable, EmptyState, Skeleton, QueryView</h2>
        <FilterBar
          search={{ label: 'Text or id', value: search, onChange: setSearch }}
          count={search === '' ? 0 : 1}
          onClear={() => setSearch('')}
        >
          <Select
            label="State"
            isLabelHidden
            size="small"
            value="all"
            onChange={() => undefined}
            choices={[{ id: 'all', label: 'All states' }]}
          />
        </FilterBar>
        <DataTable
          label="Runs"
          items={ROWS}
          idOf={({ id }) => id}
          selected={selected}
          onSelect={setSelected}
          onOpen={() => undefined}
          columns={[
            { id: 'prompt', name: 'Prompt', cell: ({ prompt }) => prompt },
            { id: 'state', name: 'State', width: '8rem', cell: ({ state }) => <StateBadge state={state} /> },
            { id: 'time', name: 'Time', width: '6rem', align: 'end', cell: ({ ms }) => formatDuration(ms) },
            { id: 'cost', name: 'Cost', width: '6rem', align: 'end', cell: ({ cost }) => formatMoney(cost, 'usd') },
          ]}
        />
        <EmptyState text="No run yet." />
        <Skeleton rows={3} />
        <QueryView query={{ data: undefined, error: new TypeError('fetch failed'), refetch: never }}>
          {() => null}
        </QueryView>
      </section>
      <section className="ui-panel ui-stack">
        <h2>Secret, CopyCode, Tabs, Json, Timeline</h2>
        <Secret
          label="API token"
          value="gptj_4fQx81b2c3d4e5f60718293a4b5c6d7e8f90c81e"
          note="Shown now, never again."
        />
        <p>
          <MaskedSecret value="gptj_4fQ****" />
        </p>
        <CopyCode
          tabs={[
            {
              id: 'python',
              label: 'Python',
              code: 'api = PipelineCloud("gptj_4fQ…")\nprint(api.run("Once upon a time"))',
            },
            { id: 'curl', label: 'curl', code: 'curl http://127.0.0.1:8080/v2/runs' },
          ]}
        />
        <Tabs
          label="Result"
          selected={tab}
          onSelect={setTab}
          tabs={[
            { id: 'text', label: 'Text', content: <p>there lived a little boy</p> },
            {
              id: 'json',
              label: 'JSON',
              content: <Json value={{ text: 'there lived', ids: [612, 5615], done: true }} />,
            },
          ]}
        />
        <Timeline
          label="Course of the run"
          steps={[
            { name: 'received', at: 0, span: 'queue' },
            { name: 'running', at: 4, span: 'prompt' },
            { name: 'first token', at: 110, span: 'tokens', tone: 'accent' },
            { name: 'complete', at: 630 },
          ]}
        />
      </section>
    </>
  );
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
