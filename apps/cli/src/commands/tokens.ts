/** `gptj tokens …`, and `gptj admin token …`, its earlier name. */
import type { ApiToken, Scope } from '@gptj-cloud/sdk';
import { toApi, writeJson } from '../client/api-json.ts';
import { CODE_OPTION, JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { readConfirmation } from '../client/confirmation.ts';
import { type OpenedClient, openClient } from '../client/open-client.ts';
import { readScopes, SCOPES_OPTION } from '../client/scopes.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandContext, CommandGroup } from '../command.ts';
import { formatDay } from '../figures.ts';
import { listItems } from '../list-pages.ts';
import { integerOption, isOn, type ParsedOptions, UsageError } from '../options.ts';
import { printable } from '../printable.ts';

const TOKEN: Argument = { name: 'ID', summary: 'id of the token: token_…' };
const JSON_GROUP = { title: 'options', options: [JSON_OPTION] };
const CONFIRMED = 'Needs the password of the token’s user: from GPTJ_PASSWORD, or typed at the terminal.';
const MAX_OVERLAP_HOURS = 7 * 24;

const ROLES: ReadonlyMap<string, readonly Scope[]> = new Map([
  ['admin', ['run', 'read', 'write', 'admin']],
  ['editor', ['run', 'read', 'write']],
  ['runner', ['run']],
  ['reader', ['read']],
]);

type Open = (context: CommandContext, options: ParsedOptions) => Promise<OpenedClient>;

/** The commands below `words`. */
function tokenCommands(words: string, open: Open): readonly Command[] {
  const list: Command = {
    name: 'list',
    summary: 'list the API tokens of the project',
    about: 'Lists the API tokens of the project of the token in use. Needs the scope admin. Values are not shown.',
    arguments: [],
    groups: [{ title: 'options', options: [...LIST_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
    examples: [{ line: `gptj ${words} list`, caption: 'who can reach the project' }],

    async run(context, options) {
      const { signal } = context;
      const { api } = await open(context, options);
      const listed = await listItems(options, (page) => api.tokens.list({ ...page, signal }));
      await writeList(context, options, listed, [
        { title: 'id', isWhole: true, text: ({ id }) => id },
        { title: 'name', text: ({ name }) => name },
        { title: 'scopes', text: ({ scopes }) => scopes.join(',') },
        { title: 'state', isWhole: true, text: stateOf },
        { title: 'expires', isWhole: true, text: ({ expiresAt }) => formatDay(expiresAt) || 'never' },
        { title: 'last used', isWhole: true, text: ({ lastUsed }) => formatDay(lastUsed) },
      ]);
    },
  };

  const create: Command = {
    name: 'create',
    summary: 'create an API token',
    about: 'Creates an API token of the project and prints its value, which is shown only once.',
    arguments: [{ name: 'NAME', summary: 'name of the token', optional: true }],
    notes: [CONFIRMED, 'Only the value goes to standard output, so that a script can read it.'],
    groups: [
      {
        title: 'options',
        options: [
          { ...SCOPES_OPTION, default: 'run,read,write' },
          {
            name: 'type',
            value: 'TYPE',
            summary: 'role of the token, in place of --scopes',
            choices: [...ROLES.keys()],
          },
          { name: 'expires', value: 'DAY', summary: 'last day on which the token is valid, UTC', default: 'never' },
          CODE_OPTION,
          JSON_OPTION,
        ],
      },
      SERVER_GROUP,
    ],
    examples: [
      { line: `gptj ${words} create ci --scopes run,read --expires 2027-01-31`, caption: 'a token for a script' },
    ],

    async run(context, options) {
      const { signal } = context;
      const [name] = options.positionals;
      const given = readScopes(options);
      const type = options.values.get('type');
      if (given !== null && type !== undefined) throw new UsageError('expected --scopes or --type, got both');
      const scopes = given ?? ROLES.get(type ?? 'editor') ?? [];
      const expires = options.values.get('expires');
      const expiresAt = expires === undefined ? null : endOfDay(expires);
      const { api } = await open(context, options);
      const confirmation = await readConfirmation(context, options);
      const wanted = { scopes, ...(name === undefined ? {} : { name }), ...(expiresAt === null ? {} : { expiresAt }) };
      writeValue(context, options, await api.tokens.create(wanted, { signal, ...confirmation }));
    },
  };

  const change = (verb: 'enable' | 'disable', about: string): Command => ({
    name: verb,
    summary: `${verb} an API token`,
    about,
    arguments: [TOKEN],
    ...(verb === 'enable' ? { notes: [CONFIRMED] } : {}),
    groups: [
      { title: 'options', options: verb === 'enable' ? [CODE_OPTION, JSON_OPTION] : [JSON_OPTION] },
      SERVER_GROUP,
    ],
    examples: [{ line: `gptj ${words} ${verb} token_258571aa6301a50ad7efe2f530b41850`, caption: `${verb} a token` }],

    async run(context, options) {
      const { stdout, signal } = context;
      const [id = ''] = options.positionals;
      const { api } = await open(context, options);
      // To disable a token needs no more than the token of the command.
      const confirmation = verb === 'enable' ? await readConfirmation(context, options) : {};
      const token = await api.tokens.change(id, { isEnabled: verb === 'enable' }, { signal, ...confirmation });
      if (isOn(options, 'json')) writeJson(stdout, token);
      else stdout.write(`${token.id}: ${token.isEnabled ? 'enabled' : 'disabled'}\n`);
    },
  });

  const rotate: Command = {
    name: 'rotate',
    summary: 'give an API token another value',
    about: 'Gives a token another value and prints it, once. Its id, name and scopes stay.',
    arguments: [TOKEN],
    notes: [CONFIRMED, 'Without --overlap the present value is refused from then on.'],
    groups: [
      {
        title: 'options',
        options: [
          { name: 'overlap', value: 'HOURS', summary: 'how long the present value is accepted as well', default: '0' },
          CODE_OPTION,
          JSON_OPTION,
        ],
      },
      SERVER_GROUP,
    ],
    examples: [
      {
        line: `gptj ${words} rotate token_258571aa6301a50ad7efe2f530b41850 --overlap 24`,
        caption: 'a new value, with a day to change to it',
      },
    ],

    async run(context, options) {
      const { signal } = context;
      const [id = ''] = options.positionals;
      const hours = integerOption(options, 'overlap', { min: 0, max: MAX_OVERLAP_HOURS });
      const { api } = await open(context, options);
      const confirmation = await readConfirmation(context, options);
      const rotation = hours === null ? {} : { overlapSeconds: hours * 3600 };
      writeValue(context, options, await api.tokens.rotate(id, rotation, { signal, ...confirmation }));
    },
  };

  const remove: Command = {
    name: 'delete',
    summary: 'delete API tokens',
    about: 'Deletes tokens, which the server refuses from then on.',
    arguments: [{ ...TOKEN, repeated: true }],
    groups: [JSON_GROUP, SERVER_GROUP],
    examples: [{ line: `gptj ${words} delete token_258571aa6301a50ad7efe2f530b41850`, caption: 'delete a token' }],

    async run(context, options) {
      const { stdout, signal } = context;
      const { api } = await open(context, options);
      for (const id of options.positionals) {
        await api.tokens.delete(id, { signal });
        if (isOn(options, 'json')) writeJson(stdout, { id, deleted: true });
        else stdout.write(`${printable(id)}: deleted\n`);
      }
    },
  };

  const disable = change('disable', 'Disables a token: the server refuses it until it is enabled again.');
  return [list, create, rotate, change('enable', 'Enables a token that was disabled.'), disable, remove];
}

export const tokensCommands: CommandGroup = {
  name: 'tokens',
  summary: 'list, create, rotate and delete API tokens',
  about: 'API tokens belong to a project. These commands need a token with the scope admin.',
  defaultCommand: 'list',
  commands: tokenCommands('tokens', openClient),
};

export const adminTokenCommands: CommandGroup = {
  name: 'token',
  summary: 'the earlier name of gptj tokens',
  about: 'The same as gptj tokens, which also reads the token from GPTJ_API_TOKEN.',
  commands: tokenCommands('admin token', (context, options) => openClient(context, options, { isAdmin: true })),
};

/** The value alone goes to standard output, so that a script can read it. */
function writeValue({ stdout, stderr }: CommandContext, options: ParsedOptions, token: ApiToken): void {
  if (isOn(options, 'json')) {
    stdout.write(`${JSON.stringify(toApi(token))}\n`);
    return;
  }
  stdout.write(`${printable(token.value)}\n`);
  stderr.write(`${printable(token.id)}: shown only once; the server stores its hash\n`);
}

function stateOf({ isActive, isEnabled }: ApiToken): string {
  if (isActive) return 'active';
  return isEnabled ? 'expired' : 'disabled';
}

function endOfDay(day: string): Date {
  const moment = new Date(`${day}T23:59:59Z`);
  if (/^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(moment.getTime())) return moment;
  throw new UsageError(`--expires: expected a day like 2027-01-31, got ${JSON.stringify(day)}`);
}
