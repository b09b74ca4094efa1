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
    'TASK is backup FILE, restore FILE, token create [NAME], token list, token enable ID or token disable ID. backup writes the contents of the embedded store to FILE: of a running server with --url and the token of an owner, of a stopped server from its data folder. restore creates the store of a data folder that has none. Neither overwrites a file. FILE contains prompts, results and hashes of credentials: protect it like those. Back up a server with DATABASE_URL with pg_dump. token manages the API tokens of the project that the given token belongs to; create and enable also need the password of its user, from the variable GPTJ_PASSWORD or the terminal.',
  groups: [
    {
      title: 'options',
      options: [
        {
          name: 'url',
          value: 'URL',
          summary: 'address of a running server; without it backup reads the data folder',
          default: 'for token PIPELINE_API_URL, else http://127.0.0.1:8080',
        },
        {
          name: 'token',
          value: 'TOKEN',
          summary:
            'API token of an owner with the scope admin; the environment variable keeps it out of the process list',
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
          summary: 'role of the token, which sets its scopes',
          choices: ['admin', 'editor', 'runner', 'reader'],
          default: 'editor',
        },
        { name: 'expires', value: 'DAY', summary: 'last day on which the token is valid, UTC', default: 'never' },
        {
          name: 'code',
          value: 'CODE',
          summary: 'code of the authenticator app, where two-factor is on; also for token enable',
        },
      ],
    },
  ],
  examples: [
    { line: 'gptj admin backup monday.tar.gz --url http://127.0.0.1:8080', caption: 'back up a running server' },
    {
      line: 'gptj admin restore monday.tar.gz --data-dir ./fresh',
      caption: 'restore into a data folder before the server starts',
    },
    {
      line: 'gptj admin token create ci --type runner --expires 2027-01-31',
      caption: 'create a token that can start runs',
    },
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
      throw new Error(
        'DATABASE_URL is set: back up its PostgreSQL database with pg_dump and restore it with pg_restore',
      );
    }
    if (task === 'restore') {
      if (url !== undefined) throw new UsageError('restore works on a data folder: --data-dir, not --url');
      await restoreDataDir(dataDir, path!);
      stdout.write(`restored into ${dataDir}\n`);
      return;
    }
    const chunks = url === undefined ? dumpDataDir(dataDir) : download(context, options);
    const sizeBytes = await writeBackup(path!, chunks);
    stdout.write(`${path}: ${formatBytes(sizeBytes)}\n`);
  },
};

/** The backup of a running server, as it arrives. */
async function* download(context: CommandContext, options: ParsedOptions): AsyncGenerator<Uint8Array> {
  const reply = await askServer(context, options, { method: 'GET', path: '/v2/admin/backup' });
  if (reply.body !== null) yield* reply.body;
}
