import type { RunSummary } from '@gptj-cloud/sdk';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { Button } from '../ui/button.tsx';
import { download } from '../ui/download.ts';
import { formatCount, formatPlural } from '../ui/formats.ts';
import { Menu } from '../ui/menu.tsx';
import { problemOf } from '../ui/problem.ts';
import { toast } from '../ui/toasts.tsx';
import { toCsv, toJsonLines } from './export-runs.ts';
import { optionsOf, type RunFilter } from './run-filter.ts';
import { isByFigure, orderOf } from './runs-search.ts';

const PAGE = 100;
/** The API lists any number of runs: beyond this, a program is the better way. */
const MAX_RUNS = 10_000;

/** Saves the selected runs, or those of the filters, as a file. */
export function ExportMenu({
  filter,
  selected,
  total,
}: {
  readonly filter: RunFilter;
  readonly selected: readonly RunSummary[];
  readonly total: number;
}) {
  const [isPending, setPending] = useState(false);
  const save = async (format: 'jsonl' | 'csv'): Promise<void> => {
    setPending(true);
    try {
      const runs = selected.length > 0 ? selected : await listAll(filter);
      const name = `runs-${new Date().toISOString().slice(0, 10)}.${format}`;
      if (format === 'csv') download(name, toCsv(runs), 'text/csv');
      else download(name, toJsonLines(runs), 'application/jsonl');
      const isCut = selected.length === 0 && runs.length === MAX_RUNS;
      toast(`${formatPlural(runs.length, 'run')} exported${isCut ? `, the ${firstOf(filter)} ones` : ''}.`);
    } catch (error) {
      toast(problemOf(error).message, { tone: 'bad' });
    } finally {
      setPending(false);
    }
  };
  const what = selected.length > 0 ? formatPlural(selected.length, 'selected run') : limited(filter, total);
  return (
    <Menu
      label="Export"
      placement="bottom end"
      trigger={
        <Button size="small" icon="download" isPending={isPending} isDisabled={total === 0}>
          Export
        </Button>
      }
      groups={[
        {
          title: what,
          entries: [
            { id: 'csv', label: 'CSV, for spreadsheets', icon: 'list', onAction: () => void save('csv') },
            { id: 'jsonl', label: 'JSON Lines, for programs', icon: 'code', onAction: () => void save('jsonl') },
          ],
        },
      ]}
    />
  );
}

function limited(filter: RunFilter, total: number): string {
  // The server does not count all runs that have a figure.
  if (isByFigure(orderOf(filter.search))) return `The ${firstOf(filter)} runs, at most ${formatCount(MAX_RUNS)}`;
  return total > MAX_RUNS ? `The ${firstOf(filter)} ${formatCount(MAX_RUNS)} runs` : formatPlural(total, 'run');
}

function firstOf({ search }: RunFilter): string {
  return orderOf(search) ?? 'newest';
}

async function listAll(filter: RunFilter): Promise<readonly RunSummary[]> {
  const runs: RunSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await cloud().runs.summaries({ ...optionsOf(filter), limit: PAGE, cursor });
    runs.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && runs.length < MAX_RUNS);
  return runs.slice(0, MAX_RUNS);
}
