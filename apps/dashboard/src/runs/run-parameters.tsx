import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { EmptyState, QueryView } from '../ui/states.tsx';
import { Switch } from '../ui/switch.tsx';
import { inputQuery } from './run-input.ts';

interface ParameterRow {
  readonly name: string;
  readonly value: unknown;
  readonly isSet: boolean;
  readonly help: string;
}

/** The parameters that the run was started with; with a switch all others and their defaults. */
export function RunParameters({ runId }: { readonly runId: string }) {
  const [isAll, setAll] = useState(false);
  const input = useQuery(inputQuery(runId));
  return (
    <QueryView query={input}>
      {({ parameters }) => (
        <div className="ui-stack">
          <Switch isSelected={isAll} onChange={setAll}>
            All parameters, with their defaults
          </Switch>
          {isAll ? <AllParameters given={parameters} /> : <GivenParameters given={parameters} />}
        </div>
      )}
    </QueryView>
  );
}

type Given = Readonly<Record<string, unknown>>;

const COLUMNS: readonly TableColumn<ParameterRow>[] = [
  {
    id: 'name',
    name: 'Parameter',
    width: '16rem',
    isTitle: true,
    cell: ({ name, isSet }) => <code className={isSet ? 'runs-set' : ''}>{name}</code>,
  },
  { id: 'value', name: 'Value', cell: ({ value }) => <code className="runs-value">{written(value)}</code> },
];

function GivenParameters({ given }: { readonly given: Given }) {
  const rows = Object.entries(given).map(([name, value]) => ({ name, value, isSet: true, help: '' }));
  return (
    <DataTable
      label="Parameters of the run"
      items={rows}
      idOf={({ name }) => name}
      columns={COLUMNS}
      empty={<EmptyState text="The run has no parameters of its own: every default applied." />}
    />
  );
}

/** The catalogue is loaded when it is shown. */
function AllParameters({ given }: { readonly given: Given }) {
  const version = given.compat === '4.25' ? '4.25' : '5.18';
  const catalogue = useQuery({
    queryKey: ['parameters', version],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => (await import('@gptj-cloud/decoding')).describeRunParameters(version),
  });
  return (
    <QueryView query={catalogue}>
      {(all) => {
        const rows = all
          .filter(({ effect }) => effect !== 'refused')
          .map(({ name, default: fallback, help }): ParameterRow => {
            const isSet = Object.hasOwn(given, name);
            return { name, value: isSet ? given[name] : fallback, isSet, help };
          })
          .sort((a, b) => Number(b.isSet) - Number(a.isSet));
        return (
          <DataTable
            label="All parameters"
            items={rows}
            idOf={({ name }) => name}
            columns={[...COLUMNS, { id: 'help', name: 'Meaning', isWideOnly: true, cell: ({ help }) => help }]}
          />
        );
      }}
    </QueryView>
  );
}

const MAX_SHOWN = 400;

function written(value: unknown): string {
  const text = value === undefined ? '–' : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
