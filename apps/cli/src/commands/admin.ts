import { dumpDataDir, restoreDataDir, writeBackup } from '@gptj-cloud/server';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, PROFILE_OPTION, TOKEN_OPTION, URL_OPTION } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { Command, CommandContext, CommandGroup } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { isOn, type OptionSpec, type ParsedOptions } from '../options.ts';
import { migrateCommand } from './admin-migrate.ts';
import { adminModelCommands } from './admin-models.ts';
import { adminServerCommands } from './admin-server.ts';
import { adminTokenCommands } from './tokens.ts';

const DATA_DIR_OPTION: OptionSpec = {
  name: 'data-dir',
  value: 'DIR',
  summary: 'data folder of the server',
  default: 'DATA_DIR, else ./data',
};

const backupCommand: Command = {
  name: 'backup',
  summary: 'back up the embedded store of a server',
  about:
    'Writes the contents of the embedded store to a file: of a running server, or of a stopped one from its data folder.',
  arguments: [{ name: 'FILE', summary: 'the file to write', values: 'file' }],
  notes: [
    'With --url or --profile it asks a running server, with the token of an owner of the server.',
    'The file contains prompts, results and hashes of credentials: protect it like those.',
    'An existing file is not overwritten.',
    'Back up a server with DATABASE_URL with pg_dump.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        { ...URL_OPTION, summary: 'address of a running server', default: 'none: the data folder' },
        { ...TOKEN_OPTION, summary: 'API token of an owner of the server, with the scope admin' },
        { ...PROFILE_OPTION, summary: 'stored profile of a running server', default: 'none: the data folder' },
        DATA_DIR_OPTION,
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    { line: 'gptj admin backup monday.tar.gz --url http://127.0.0.1:8080', caption: 'back up a running server' },
    { line: 'gptj admin backup monday.tar.gz --data-dir ./data', caption: 'back up a stopped server' },
  ],

  async run(context, options) {
    const { stdout, env } = context;
    const [path = ''] = options.positionals;
    const isRunning = options.values.has('url') || options.values.has('profile');
    if (!isRunning) refusePostgres(env, options);
    const chunks = isRunning ? download(context, options) : dumpDataDir(dataDirOf(env, options));
    const sizeBytes = await writeBackup(path, chunks);
    if (isOn(options, 'json')) writeJson(stdout, { file: path, sizeBytes });
    else stdout.write(`${path}: ${formatBytes(sizeBytes)}\n`);
  },
};

const restoreCommand: Command = {
  name: 'restore',
  summary: 'restore a backup into an empty data folder',
  about: 'Creates the store of a data folder that has none from a backup. The server must not run yet.',
  arguments: [{ name: 'FILE', summary: 'the backup', values: 'file' }],
  groups: [{ title: 'options', options: [DATA_DIR_OPTION, JSON_OPTION] }],
  examples: [
    {
      line: 'gptj admin restore monday.tar.gz --data-dir ./fresh',
      caption: 'restore into a data folder before the server starts',
    },
  ],
  refused: [{ names: ['url', 'profile'], answer: 'restore works on a data folder: use --data-dir DIR' }],

  async run({ stdout, env }, options) {
    const [path = ''] = options.positionals;
    refusePostgres(env, options);
    const dataDir = dataDirOf(env, options);
    await restoreDataDir(dataDir, path);
    if (isOn(options, 'json')) writeJson(stdout, { dataDir });
    else stdout.write(`restored into ${dataDir}\n`);
  },
};

export const adminCommands: CommandGroup = {
  name: 'admin',
  summary: 'back up and move data, see the queue, begin maintenance',
  about: 'Commands for the operator of a server.',
  commands: [
    backupCommand,
    restoreCommand,
    migrateCommand,
    ...adminModelCommands,
    ...adminServerCommands,
    adminTokenCommands,
  ],
};

function dataDirOf(env: NodeJS.ProcessEnv, options: ParsedOptions): string {
  return options.values.get('data-dir') ?? (env.DATA_DIR?.trim() || 'data');
}

function refusePostgres(env: NodeJS.ProcessEnv, options: ParsedOptions): void {
  if (options.values.get('data-dir') !== undefined || !env.DATABASE_URL?.trim()) return;
  throw new Error('DATABASE_URL is set: back up its PostgreSQL database with pg_dump and restore it with pg_restore');
}

/** The backup of a running server, as it arrives. */
async function* download(context: CommandContext, options: ParsedOptions): AsyncGenerator<Uint8Array> {
  const { api } = await openClient(context, options, { isAdmin: true });
  yield* api.admin.backup({ signal: context.signal });
}
