import { copyFromPostgres, copyToPostgres } from '@gptj-cloud/server';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command } from '../command.ts';
import { formatCount } from '../figures.ts';
import { isOn, type OptionSpec, type ParsedOptions, UsageError } from '../options.ts';
import { widthOf } from '../output.ts';
import { createProgressPrinter } from '../progress.ts';
import { renderTable } from '../table.ts';

const DATA_DIR_OPTION: OptionSpec = {
  name: 'data-dir',
  value: 'DIR',
  summary: 'data folder: the source with --to, the target with --from',
  default: 'DATA_DIR, else ./data',
};

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'copy all data between a data folder and a PostgreSQL server',
  about:
    'Copies every table of the embedded store of a data folder into an empty PostgreSQL database, or back into a data folder without a store.',
  arguments: [],
  notes: [
    'Stop every server that uses the source first: a running one is refused.',
    'The copy is one snapshot of the source. It compares counts and checksums of every table before it commits, so it is whole or there is none; the source stays as it is.',
    'A password in the URL is visible in process lists: leave it out and set PGPASSWORD, or name a service of libpq.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'to', value: 'URL', summary: 'empty database to copy into, postgres://user@host:port/database' },
        { name: 'from', value: 'URL', summary: 'database to copy from' },
        DATA_DIR_OPTION,
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    { line: 'gptj admin migrate --to postgres://gptj@db/gptj', caption: 'move ./data to a PostgreSQL server' },
    { line: 'gptj admin migrate --from postgres://gptj@db/gptj --data-dir ./fresh', caption: 'and back' },
  ],

  async run({ stdout, stderr, env, signal, now }, options) {
    const { url, isTarget } = databaseOf(options);
    const dataDir = options.values.get('data-dir') ?? (env.DATA_DIR?.trim() || 'data');
    const progress = createProgressPrinter(stderr, now);
    try {
      const copying = {
        signal,
        onProgress: (state: { readonly doneBytes: number; readonly totalBytes: number; readonly table: string }) =>
          progress.update(state.doneBytes, state.totalBytes, state.table),
      };
      const tables = await (isTarget ? copyToPostgres(dataDir, url, copying) : copyFromPostgres(url, dataDir, copying));
      progress.clear();
      if (isOn(options, 'json')) {
        const copied = tables.map(({ name, rows, checksum }) => ({ name, rows: Number(rows), checksum }));
        writeJson(stdout, { dataDir, direction: isTarget ? 'to' : 'from', tables: copied });
        return;
      }
      const rows = tables.filter((table) => table.rows !== '0');
      stdout.write(
        renderTable(
          [{ title: 'table' }, { title: 'rows', align: 'right' }, { title: 'checksum', align: 'right' }],
          rows.map((table) => [table.name, formatCount(Number(table.rows)), table.checksum]),
          widthOf(stdout),
        ),
      );
      const next = isTarget ? `with DATABASE_URL; ${dataDir} stays as it is` : `with DATA_DIR=${dataDir}`;
      stdout.write(`\ncopied: counts and checksums of both sides agree. Start the server ${next}\n`);
    } finally {
      progress.clear();
    }
  },
};

function databaseOf({ values }: ParsedOptions): { readonly url: string; readonly isTarget: boolean } {
  const [to, from] = [values.get('to'), values.get('from')];
  const url = to ?? from;
  if (url === undefined || (to !== undefined && from !== undefined)) {
    throw new UsageError('expected one of --to postgres://… and --from postgres://…');
  }
  if (!/^postgres(ql)?:\/\//.test(url)) {
    // The value may hold a password.
    throw new UsageError(`--${to === undefined ? 'from' : 'to'}: expected postgres://user:password@host:port/database`);
  }
  return { url, isTarget: to !== undefined };
}
