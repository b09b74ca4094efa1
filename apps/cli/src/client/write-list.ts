/** Prints a list of the API: a table for people, a line of JSON for each item for programs. */
import type { CommandContext } from '../command.ts';
import type { ListedItems } from '../list-pages.ts';
import { isOn, type ParsedOptions } from '../options.ts';
import { dim } from '../output.ts';
import { type Column, renderTable } from '../table.ts';
import { writeJsonLines } from './api-json.ts';

export interface ListColumn<Item> extends Column {
  readonly text: (item: Item) => string;
}

export async function writeList<Item>(
  { stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'>,
  options: ParsedOptions,
  { items, total }: ListedItems<Item>,
  columns: readonly ListColumn<Item>[],
): Promise<void> {
  if (isOn(options, 'json')) {
    await writeJsonLines(stdout, items);
    return;
  }
  if (items.length === 0) {
    stderr.write(`${dim(stderr, 'none')}\n`);
    return;
  }
  const rows = items.map((item) => columns.map((column) => column.text(item)));
  stdout.write(renderTable(columns, rows, stdout.columns ?? Number.POSITIVE_INFINITY));
  await stdout.drained();
  if (items.length < total) {
    stderr.write(`${dim(stderr, `${items.length} of ${total}; --limit N or --all shows more`)}\n`);
  }
}
