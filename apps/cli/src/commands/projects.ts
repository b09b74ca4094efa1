import { writeJson, writeJsonLines } from '../client/api-json.ts';
import { askFirst, YES_OPTION } from '../client/ask-first.ts';
import { CODE_OPTION, JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { readConfirmation } from '../client/confirmation.ts';
import { openClient } from '../client/open-client.ts';
import { withSession } from '../client/open-session.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandGroup } from '../command.ts';
import { formatCount, formatDay } from '../figures.ts';
import { listItems } from '../list-pages.ts';
import { isOn } from '../options.ts';
import { printable } from '../printable.ts';

const PROJECT: Argument = { name: 'PROJECT', summary: 'id of the project: project_…' };
const OPTIONS = [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP] as const;
const EXAMPLE_ID = 'project_0d3c4a6f9d1b4a0c8f6e2b7a5c9d1e3f';
const NEEDS_PASSWORD = 'Needs the password of the token’s user: from GPTJ_PASSWORD, or typed at the terminal.';

const listCommand: Command = {
  name: 'list',
  summary: 'list the projects of the account',
  about:
    'Lists the projects that the token reaches. A token belongs to one project; the dashboard shows all of a user.',
  arguments: [],
  groups: [{ title: 'options', options: [...LIST_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj projects', caption: 'all projects' }],

  async run(context, options) {
    const { signal } = context;
    const { api } = await openClient(context, options);
    const listed = await listItems(options, (page) => api.projects.list({ ...page, signal }));
    await writeList(context, options, listed, [
      { title: 'project', isWhole: true, text: ({ id }) => id },
      { title: 'name', text: ({ name }) => name },
      { title: 'role', isWhole: true, text: ({ role }) => role },
      { title: 'runs', align: 'right', text: ({ nPipelineRuns }) => formatCount(nPipelineRuns) },
      { title: 'created', isWhole: true, text: ({ createdAt }) => formatDay(createdAt) },
    ]);
  },
};

const createCommand: Command = {
  name: 'create',
  summary: 'create a project',
  about: 'Creates a project. A token belongs to one project, so this signs in with the password of the token’s user.',
  arguments: [{ name: 'NAME', summary: 'name of the project' }],
  notes: [NEEDS_PASSWORD, 'Tokens of the new project are created in the dashboard, or by gptj login --user.'],
  groups: [{ title: 'options', options: [CODE_OPTION, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj projects create "story writers"', caption: 'a project of its own for a team' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [name = ''] = options.positionals;
    const { api, url } = await openClient(context, options);
    const { email } = await api.users.me({ signal });
    const request = { url, login: email, code: options.values.get('code') ?? null };
    const project = await withSession(context, request, (session) => session.api.projects.create(name, { signal }));
    if (isOn(options, 'json')) writeJson(stdout, project);
    else stdout.write(`${project.id}: ${printable(project.name)}\n`);
  },
};

const renameCommand: Command = {
  name: 'rename',
  summary: 'rename a project',
  about: 'Gives a project another name. For its owner.',
  arguments: [PROJECT, { name: 'NAME', summary: 'the new name' }],
  groups: OPTIONS,
  examples: [{ line: `gptj projects rename ${EXAMPLE_ID} stories`, caption: 'a shorter name' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [id = '', name = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const project = await api.projects.rename(id, name, { signal });
    if (isOn(options, 'json')) writeJson(stdout, project);
    else stdout.write(`${project.id}: ${printable(project.name)}\n`);
  },
};

const deleteCommand: Command = {
  name: 'delete',
  summary: 'delete an empty project',
  about: 'Deletes a project without runs and data, which is not the only one of its owner.',
  arguments: [PROJECT],
  groups: [{ title: 'options', options: [YES_OPTION, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: `gptj projects delete ${EXAMPLE_ID}`, caption: 'asks first' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [id = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const { name } = await api.projects.get(id, { signal });
    await askFirst(context, options, `Delete the project ${printable(name)}?`);
    await api.projects.delete(id, { signal });
    if (isOn(options, 'json')) writeJson(stdout, { id, deleted: true });
    else stdout.write(`${printable(id)}: deleted\n`);
  },
};

const membersCommand: Command = {
  name: 'members',
  summary: 'list the members of a project, and open invitations',
  about: 'Lists the members of a project. Open invitations follow, for its owner.',
  arguments: [PROJECT],
  groups: OPTIONS,
  examples: [{ line: `gptj projects members ${EXAMPLE_ID}`, caption: 'who works in it' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [id = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const members = await api.projects.members(id, { signal });
    const invitations = await api.projects.invitations(id, { signal });
    const items = [
      ...members.map(({ userId, username, role, addedAt }) => ({ id: userId, name: username, role, since: addedAt })),
      ...invitations.map((invitation) => ({
        id: invitation.id,
        name: invitation.email ?? invitation.username ?? '',
        role: 'invited' as const,
        since: invitation.createdAt,
      })),
    ];
    if (isOn(options, 'json')) {
      await writeJsonLines(stdout, items);
      return;
    }
    await writeList(context, options, { items, total: items.length }, [
      { title: 'id', isWhole: true, text: (item) => item.id },
      { title: 'name', text: ({ name }) => name },
      { title: 'role', isWhole: true, text: ({ role }) => role },
      { title: 'since', isWhole: true, text: ({ since }) => formatDay(since) },
    ]);
  },
};

const inviteCommand: Command = {
  name: 'invite',
  summary: 'invite a user to a project',
  about:
    'Invites by e-mail address or username. The invited user accepts in the dashboard. For the owner of the project.',
  arguments: [PROJECT, { name: 'USER', summary: 'e-mail address or username' }],
  notes: [NEEDS_PASSWORD],
  groups: [{ title: 'options', options: [CODE_OPTION, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: `gptj projects invite ${EXAMPLE_ID} ada@example.com`, caption: 'by address' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [id = '', user = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const confirmation = await readConfirmation(context, options);
    const invited = user.includes('@') ? { email: user } : { username: user };
    const open = await api.projects.invite(id, invited, { signal, ...confirmation });
    if (isOn(options, 'json')) await writeJsonLines(stdout, open);
    else stdout.write(`${printable(user)}: invited; ${open.length} open invitations\n`);
  },
};

const removeCommand: Command = {
  name: 'remove',
  summary: 'remove a member, or withdraw an invitation',
  about: 'Removes a member from a project, or withdraws an invitation. For the owner of the project.',
  arguments: [PROJECT, { name: 'ID', summary: 'id of the member or of the invitation, see gptj projects members' }],
  groups: OPTIONS,
  examples: [
    { line: `gptj projects remove ${EXAMPLE_ID} user_5b9fd0a1e4c74a2fb8f1c6d3e7a90b12`, caption: 'remove a member' },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const [project = '', id = ''] = options.positionals;
    const { api } = await openClient(context, options);
    if (id.startsWith('invitation_')) await api.projects.withdrawInvitation(project, id, { signal });
    else await api.projects.removeMember(project, id, { signal });
    if (isOn(options, 'json')) writeJson(stdout, { id, removed: true });
    else stdout.write(`${printable(id)}: removed\n`);
  },
};

export const projectsCommands: CommandGroup = {
  name: 'projects',
  summary: 'list and create projects, and invite members',
  about: 'A project has its own runs, files, tokens and webhooks. Its owner invites members.',
  defaultCommand: 'list',
  commands: [listCommand, createCommand, renameCommand, deleteCommand, membersCommand, inviteCommand, removeCommand],
};
