import { toApi, writeJson } from '../client/api-json.ts';
import { askFirst, YES_OPTION } from '../client/ask-first.ts';
import { JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { findUser } from '../client/find-user.ts';
import { openClient } from '../client/open-client.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandGroup } from '../command.ts';
import { formatCount, formatMoment } from '../figures.ts';
import { listItems } from '../list-pages.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { renderPairs } from '../table.ts';
import { idsCommand } from './act-on-ids.ts';

const USER: Argument = { name: 'USER', summary: 'username, e-mail address or id' };

const listCommand: Command = {
  name: 'list',
  summary: 'list the accounts of the server',
  about: 'Lists the accounts of the server, for its owners.',
  arguments: [],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'search', short: 'q', value: 'TEXT', summary: 'only accounts with this text in address or name' },
        { name: 'role', value: 'ROLE', summary: 'only this role', choices: ['owner', 'member'] },
        { name: 'plan', value: 'ID', summary: 'only accounts on this plan' },
        { name: 'disabled', value: null, summary: 'only disabled accounts; --no-disabled: only the others' },
        ...LIST_OPTIONS,
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [{ line: 'gptj users list --plan free', caption: 'the accounts on a plan' }],

  async run(context, options) {
    const { signal } = context;
    const { api } = await openClient(context, options);
    const role = options.values.get('role');
    const disabled = options.values.get('disabled');
    const filters = {
      signal,
      text: options.values.get('search'),
      role: role === 'owner' || role === 'member' ? role : undefined,
      planId: options.values.get('plan'),
      disabled: disabled === undefined ? undefined : disabled === 'true',
    } as const;
    const listed = await listItems(options, (page) => api.users.list({ ...filters, ...page }));
    await writeList(context, options, listed, [
      { title: 'username', isWhole: true, text: ({ username }) => username },
      { title: 'e-mail', text: ({ email }) => email },
      { title: 'role', isWhole: true, text: ({ role: name }) => name },
      { title: 'plan', isWhole: true, text: ({ planId }) => planId ?? '' },
      { title: 'state', isWhole: true, text: (user) => stateOf(user) },
      { title: 'runs, 30 days', align: 'right', text: ({ runs30Days }) => formatCount(runs30Days) },
      { title: 'last seen', isWhole: true, text: ({ lastSeen }) => formatMoment(lastSeen) },
    ]);
  },
};

function stateOf({ disabled, verified }: { readonly disabled: boolean; readonly verified: boolean }): string {
  if (disabled) return 'disabled';
  return verified ? 'active' : 'unconfirmed';
}

const getCommand: Command = {
  name: 'get',
  summary: 'show an account',
  about: 'Shows an account, for owners of the server.',
  arguments: [USER],
  groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj users get ada@example.com', caption: 'one account' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const user = await findUser(api, name, signal);
    if (isOn(options, 'json')) {
      writeJson(stdout, user);
      return;
    }
    const pairs: readonly (readonly [string, string])[] = [
      ['id', user.id],
      ['username', user.username],
      ['e-mail', user.email],
      ['name', [user.firstname, user.lastname].filter((part) => part !== null).join(' ')],
      ['company', user.company ?? ''],
      ['role', user.role],
      ['plan', user.planId ?? ''],
      ['state', stateOf(user)],
      ['two-factor', user.twoFactor ? 'on' : 'off'],
      ['created', formatMoment(user.createdAt)],
    ];
    stdout.write(renderPairs(pairs, widthOf(stdout)));
  },
};

const disableCommand = idsCommand({
  name: 'disable',
  summary: 'disable accounts',
  about: 'Disables accounts: ends their sessions and refuses their tokens, until gptj users enable.',
  argument: USER,
  examples: [{ line: 'gptj users disable ada', caption: 'lock an account' }],
  act: async (api, name, { signal }) => {
    const { id } = await findUser(api, name, signal);
    await api.users.change(id, { disabled: true }, { signal });
    return { fields: { disabled: true }, words: 'disabled' };
  },
});

const enableCommand = idsCommand({
  name: 'enable',
  summary: 'enable accounts again',
  about: 'Enables accounts that were disabled.',
  argument: USER,
  examples: [{ line: 'gptj users enable ada', caption: 'unlock an account' }],
  act: async (api, name, { signal }) => {
    const { id } = await findUser(api, name, signal);
    await api.users.change(id, { disabled: false }, { signal });
    return { fields: { disabled: false }, words: 'enabled' };
  },
});

const roleCommand: Command = {
  name: 'role',
  summary: 'make an account an owner or a member',
  about: 'Changes the role of an account. Owners administer the server: all accounts, plans and settings.',
  arguments: [USER, { name: 'ROLE', summary: 'owner or member', values: ['owner', 'member'] }],
  groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj users role ada owner', caption: 'a second owner' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = '', word] = options.positionals;
    const role = word === 'owner' ? 'owner' : 'member';
    const { api } = await openClient(context, options);
    const { id } = await findUser(api, name, signal);
    const user = await api.users.change(id, { role }, { signal });
    if (isOn(options, 'json')) stdout.write(`${JSON.stringify(toApi(user))}\n`);
    else stdout.write(`${printable(user.username)}: ${user.role}\n`);
  },
};

const deleteCommand: Command = {
  name: 'delete',
  summary: 'delete an account with all its data',
  about: 'Deletes an account with its projects, runs, files and tokens.',
  arguments: [USER],
  groups: [{ title: 'options', options: [YES_OPTION, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj users delete ada', caption: 'asks first' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const user = await findUser(api, name, signal);
    await askFirst(context, options, `Delete ${printable(user.username)} <${printable(user.email)}> and all its data?`);
    await api.users.delete(user.id, { signal });
    if (isOn(options, 'json')) writeJson(stdout, { id: user.id, deleted: true });
    else stdout.write(`${printable(user.username)}: deleted\n`);
  },
};

export const usersCommands: CommandGroup = {
  name: 'users',
  summary: 'list and change the accounts of the server',
  about: 'The accounts of a server. These commands need the token of an owner of the server, with the scope admin.',
  defaultCommand: 'list',
  commands: [listCommand, getCommand, disableCommand, enableCommand, roleCommand, deleteCommand],
};
