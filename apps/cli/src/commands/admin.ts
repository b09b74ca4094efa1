import { dumpDataDir, restoreDataDir, writeBackup } from '@gptj-cloud/server';
import type { Command, CommandContext } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { type ParsedOptions, requirePositionals, UsageError } from '../options.ts';

export const adminCommand: Command = {
  name: 'admin',
  usage: 'backup FILE | restore FILE [options]',
  summary: 'back up and restore the data of a server',
  about:
    'backup writes everything the embedded store holds to FILE: of a running server with --url and the token of an owner, of a stopped one from its data folder. restore makes the store of a data folder that has none. Neither overwrites anything, and FILE holds prompts, results and hashes of credentials: keep it as you keep those. A server with DATABASE_URL is backed up with pg_dump.',
  groups: [
    {
      title: 'options',
      options: [
        { name: 'url', value: 'URL', summary: 'the running server to back up', default: 'none, the data folder' },
        {
          name: 'token',
          value: 'TOKEN',
          summary: 'API token of an owner with the scope admin; the variable keeps it out of the list of processes',
          default: 'GPTJ_API_TOKEN',
        },
        { name: 'data-dir', value: 'DIR', summary: 'data folder of the server', default: 'DATA_DIR, else ./data' },
      ],
    },
  ],
  examples: [
    { line: 'gptj admin backup monday.tar.gz --url http://127.0.0.1:8080', says: 'of a server that runs' },
    { line: 'gptj admin restore monday.tar.gz --data-dir ./fresh', says: 'for a server that will' },
  ],

  async run(context, options) {
    const [task, path] = requirePositionals(options, ['backup or restore', 'FILE']);
    const { stdout, env } = context;
    const dataDir = options.values.get('data-dir') ?? (env.DATA_DIR?.trim() || 'data');
    const url = options.values.get('url');
    if (url === undefined && options.values.get('data-dir') === undefined && env.DATABASE_URL?.trim()) {
      throw new Error('DATABASE_URL names a PostgreSQL: back it up with pg_dump and restore it with pg_restore');
    }
    switch (task) {
      case 'backup': {
        const chunks = url === undefined ? once(() => dumpDataDir(dataDir)) : download(url, options, context);
        const sizeBytes = await writeBackup(path!, chunks);
        stdout.write(`${path}: ${formatBytes(sizeBytes)}\n`);
        return;
      }
      case 'restore':
        if (url !== undefined) throw new UsageError('restore works on a data folder: --data-dir, not --url');
        await restoreDataDir(dataDir, path!);
        stdout.write(`restored into ${dataDir}\n`);
        return;
      default:
        throw new UsageError(`expected backup or restore, got ${JSON.stringify(task)}`);
    }
  },
};

async function* once(make: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await make();
}

/** The backup of a running server, as it comes. */
async function* download(
  url: string,
  options: ParsedOptions,
  { env, signal }: CommandContext,
): AsyncGenerator<Uint8Array> {
  const token = options.values.get('token') ?? env.GPTJ_API_TOKEN?.trim() ?? '';
  if (token === '') throw new UsageError('--url needs a token: --token, or the variable GPTJ_API_TOKEN');
  if (!URL.canParse('/v2/admin/backup', url)) throw new UsageError(`--url: expected http://host:port, got ${url}`);
  const reply = await fetch(new URL('/v2/admin/backup', url), {
    headers: { authorization: `Bearer ${token}` },
    signal,
    // A token goes to the server it was meant for.
    redirect: 'error',
  }).catch((cause: unknown) => {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new Error(`cannot reach ${url}: ${reason}`, { cause });
  });
  if (reply.status !== 200 || reply.body === null) throw new Error(`${url} refused: ${await refusal(reply)}`);
  yield* reply.body;
}

async function refusal(reply: Response): Promise<string> {
  const text = await reply.text();
  try {
    const body: unknown = JSON.parse(text);
    const message: unknown = Reflect.get(Object(Reflect.get(Object(body), 'detail')), 'message');
    if (typeof message === 'string') return `${reply.status} ${message}`;
  } catch {
    // No JSON: the status says what is known.
  }
  return `status ${reply.status}`;
}
