/** Commands for owners of a server: the runs of all projects, maintenance, the audit log. */
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { findUser } from '../client/find-user.ts';
import { openClient } from '../client/open-client.ts';
import { writeList } from '../client/write-list.ts';
import type { Command } from '../command.ts';
import { formatCount, formatDuration, formatMoment } from '../figures.ts';
import { listItems } from '../list-pages.ts';
import { integerOption, isOn, UsageError } from '../options.ts';
import { printable } from '../printable.ts';
import { idsCommand } from './act-on-ids.ts';

const DAY_SECONDS = 24 * 3600;

const queueCommand: Command = {
  name: 'queue',
  summary: 'list the open runs of all projects',
  about: 'Lists the runs that are computed, then those that wait, in the order of the queue. For owners of the server.',
  arguments: [],
  groups: [{ title: 'options', options: [...LIST_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj admin queue', caption: 'who waits, and how long' }],

  async run(context, options) {
    const { signal } = context;
    const { api } = await openClient(context, options, { isAdmin: true });
    const listed = await listItems(options, ({ skip, limit }) => api.admin.queue({ skip, limit, signal }));
    await writeList(context, options, listed, [
      { title: 'run', isWhole: true, text: ({ id }) => id },
      { title: 'state', isWhole: true, text: ({ state, cancelRequested }) => (cancelRequested ? 'ending' : state) },
      { title: 'user', isWhole: true, text: ({ user }) => user.username },
      { title: 'project', text: ({ project }) => project.name },
      { title: 'waited', align: 'right', text: ({ waitedMs }) => formatDuration(waitedMs) },
      {
        title: 'reserved tokens',
        align: 'right',
        text: ({ reservedTokens }) => (reservedTokens === null ? '' : formatCount(reservedTokens)),
      },
    ]);
  },
};

const cancelCommand = idsCommand({
  name: 'cancel',
  summary: 'cancel open runs of any project',
  about: 'Ends open runs of any project; they become failed. For owners of the server.',
  argument: { name: 'RUN', summary: 'id of the run, see gptj admin queue' },
  examples: [{ line: 'gptj admin cancel run_59a4b202e64aaa2e63e3ec97074c16f9', caption: 'end a run of another user' }],
  act: async (api, id, { signal }) => {
    await api.admin.cancelRun(id, { signal });
    return { fields: { cancelRequested: true }, words: 'cancelled' };
  },
});

const maintenanceCommand: Command = {
  name: 'maintenance',
  summary: 'refuse new runs for a time, or accept them again',
  about: 'Makes the servers of a store refuse new runs, while those that they have accepted are computed. For owners.',
  arguments: [
    { name: 'STATE', summary: 'on or off; without it the state is shown', optional: true, values: ['on', 'off'] },
  ],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'message', value: 'TEXT', summary: 'the sentence that refused clients get' },
        { name: 'retry-after', value: 'SECONDS', summary: 'when clients may try again' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj admin maintenance on --message "back at noon" --retry-after 3600', caption: 'before an upgrade' },
    { line: 'gptj admin maintenance off', caption: 'accept runs again' },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const [wanted] = options.positionals;
    const message = options.values.get('message');
    const retryAfterSeconds = integerOption(options, 'retry-after', { min: 1, max: DAY_SECONDS });
    if (wanted !== 'on' && (message !== undefined || retryAfterSeconds !== null)) {
      throw new UsageError('--message and --retry-after belong to: gptj admin maintenance on');
    }
    const { api } = await openClient(context, options, { isAdmin: true });
    const state =
      wanted === undefined
        ? (await api.admin.overview({ signal })).maintenance
        : await api.admin.setMaintenance({ isOn: wanted === 'on', message, retryAfterSeconds }, { signal });
    if (isOn(options, 'json')) {
      writeJson(stdout, state);
      return;
    }
    const since = state.isOn ? `since ${formatMoment(state.since)}: ${printable(state.message ?? '')}` : '';
    stdout.write(`maintenance is ${state.isOn ? 'on' : 'off'}${since === '' ? '' : ` ${since}`}\n`);
  },
};

const auditCommand: Command = {
  name: 'audit',
  summary: 'read the audit log of the server',
  about: 'Lists who changed what: sign-ins, tokens, accounts, plans. For owners of the server.',
  arguments: [],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'user', value: 'USER', summary: 'only entries of this username, e-mail address or id' },
        { name: 'action', value: 'ACTION', summary: 'only entries of this action, such as token.create' },
        ...LIST_OPTIONS,
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [{ line: 'gptj admin audit --action token.create', caption: 'which tokens were made' }],

  async run(context, options) {
    const { signal } = context;
    const { api } = await openClient(context, options, { isAdmin: true });
    const name = options.values.get('user');
    const action = options.values.get('action');
    const filters = {
      signal,
      ...(name === undefined ? {} : { userId: (await findUser(api, name, signal)).id }),
      ...(action === undefined ? {} : { action }),
    };
    const listed = await listItems(options, (page) => api.admin.auditLog({ ...filters, ...page }));
    await writeList(context, options, listed, [
      { title: 'time', isWhole: true, text: ({ at }) => formatMoment(at) },
      { title: 'action', isWhole: true, text: (entry) => entry.action },
      { title: 'user', text: ({ userId }) => userId ?? '' },
      { title: 'subject', text: ({ subject }) => subject ?? '' },
      { title: 'address', text: ({ address }) => address ?? '' },
    ]);
  },
};

export const adminServerCommands: readonly Command[] = [queueCommand, cancelCommand, maintenanceCommand, auditCommand];
