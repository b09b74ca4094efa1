import { dumpDataDir, restoreDataDir, writeBackup } from '@gptj-cloud/server';
import { askServer } from '../ask-server.ts';
import type { Command, CommandContext } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { type ParsedOptions, requirePositionals, UsageError } from '../options.ts';
import { adminToken } from './admin-token.ts';

export const adminCommand: Command = {
  name: 'admin',
  usage: 'TASK [options]',
  summary: 'back up and restore the data of a server, and manage its tokens',
  about:
    'TASK is backup FILE, restore FILE, token create [NAME], token list, token enable ID or token disable ID. backup writes everything the embedded store holds to FILE: of a running server with --url and the token of an owner, of a stopped one from its data folder. restore makes the store of a data folder that has none. Neither overwrites anything, and FILE holds prompts, results and hashes of credentials: keep it as you keep those. A server with DATABASE_URL is backed up with pg_dump. token works on the API tokens of the project that the asking one belongs to.',
  groups: [
    {
      title: 'options',
      options: [
        {
          name: 'url',
          value: 'URL',
          summary: 'the running server; backup uses the data folder without it',
          default: 'for token PIPELINE_API_URL, else http://127.0.0.1:8080',
        },
        {
          name: 'token',
          value: 'TOKEN',
          summary: 'API token of an owner with the scope admin; the variable keeps it out of the list of processes',
          default: 'GPTJ_API_TOKEN',
        },
        { name: 'data-dir', value: 'DIR', summary: 'data folder of the server', default: 'DATA_DIR, else ./data' },
      ],
    },
    {
      title: 'options of token create',
      options: [
        {
          name: 'type',
          value: 'TYPE',
          summary: 'what the token may do',
          choices: ['admin', 'editor', 'runner', 'reader'],
          default: 'editor',
        },
        { name: 'expires', value: 'DAY', summary: 'last day it is good, UTC', default: 'never' },
      ],
    },
  ],
  examples: [
    { line: 'gptj admin backup monday.tar.gz --url http://127.0.0.1:8080', says: 'of a server that runs' },
    { line: 'gptj admin restore monday.tar.gz --data-dir ./fresh', says: 'for a server that will' },
    { line: 'gptj admin token create ci --type runner --expires 2027-01-31', says: 'a token that can make runs' },
  ],

  async run(context, options) {
    if (options.positionals[0] === 'token') {
      await adminToken(context, options, options.positionals.slice(1));
      return;
    }
    const [given] = options.positionals;
    if (given !== undefined && given !== 'backup' && given !== 'restore') {
      throw new UsageError(`expected backup, restore or token, got ${JSON.stringify(given)}`);
    }
    const [task, path] = requirePositionals(options, ['backup, restore or token', 'FILE']);
    const { stdout, env } = context;
    const dataDir = options.values.get('data-dir') ?? (env.DATA_DIR?.trim() || 'data');
    const url = options.values.get('url');
    if (url === undefined && options.values.get('data-dir') === undefined && env.DATABASE_URL?.trim()) {
      throw new Error('DATABASE_URL names a PostgreSQL: back it up with pg_dump and restore it with pg_restore');
    }
    if (task === 'restore') {
      if (url !== undefined) throw new UsageError('restore works on a data folder: --data-dir, not --url');
      await restoreDataDir(dataDir, path!);
      stdout.write(`restored into ${dataDir}\n`);
      return;
    }
    const chunks = url === undefined ? once(() => dumpDataDir(dataDir)) : download(context, options);
    const sizeBytes = await writeBackup(path!, chunks);
    stdout.write(`${path}: ${formatBytes(sizeBytes)}\n`);
  },
};

async function* once(make: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await make();
}

/** The backup of a running server, as it comes. */
async function* download(context: CommandContext, options: ParsedOptions): AsyncGenerator<Uint8Array> {
  const reply = await askServer(context, options, { method: 'GET', path: '/v2/admin/backup' });
  if (reply.body !== null) yield* reply.body;
}
