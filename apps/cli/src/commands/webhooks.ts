import { setTimeout as delay } from 'node:timers/promises';
import type { PipelineCloud, Webhook, WebhookDelivery } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, LIST_OPTIONS, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandContext, CommandGroup } from '../command.ts';
import { formatMoment } from '../figures.ts';
import { listItems } from '../list-pages.ts';
import { integerOption, isOn, listOption, type ParsedOptions, UsageError } from '../options.ts';
import { widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { renderPairs } from '../table.ts';
import { idsCommand } from './act-on-ids.ts';

const WEBHOOK: Argument = { name: 'WEBHOOK', summary: 'id of the webhook: webhook_…' };
const OPTIONS = [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP] as const;
const EXAMPLE_ID = 'webhook_6a1f0c9e5d7b4f2a9c8e3b1d7f5a2e4c';
const EVENTS = ['run.completed', 'run.failed'] as const;
const POLL_MS = 250;

const listCommand: Command = {
  name: 'list',
  summary: 'list the webhooks of the project',
  about: 'Lists the webhooks of the project of the token.',
  arguments: [],
  groups: [{ title: 'options', options: [...LIST_OPTIONS, JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj webhooks', caption: 'all webhooks' }],

  async run(context, options) {
    const { signal } = context;
    const { api } = await openClient(context, options);
    const listed = await listItems(options, (page) => api.webhooks.list({ ...page, signal }));
    await writeList(context, options, listed, [
      { title: 'webhook', isWhole: true, text: ({ id }) => id },
      { title: 'url', text: ({ url }) => url },
      { title: 'events', text: ({ events }) => events.join(', ') },
      { title: 'state', text: stateOf },
    ]);
  },
};

const createCommand: Command = {
  name: 'create',
  summary: 'add a webhook',
  about: 'Makes the server send a message to an address when a run of the project has ended.',
  arguments: [{ name: 'ADDRESS', summary: 'http or https address that takes the messages' }],
  notes: ['Shows the secret that signs the messages, once. Messages follow Standard Webhooks.'],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'events', value: 'EVENT,…', summary: `which events: ${EVENTS.join(', ')}`, default: 'both' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: 'gptj webhooks create https://example.com/ended --events run.failed', caption: 'hear of failures' },
  ],

  async run(context, options) {
    const { signal } = context;
    const [url = ''] = options.positionals;
    const events = listOption(options, 'events')?.map((word) => {
      const event = EVENTS.find((known) => known === word);
      if (event !== undefined) return event;
      throw new UsageError(`--events: expected some of ${EVENTS.join(', ')}, got ${JSON.stringify(word)}`);
    });
    const { api } = await openClient(context, options);
    const wanted = { url, ...(events === undefined ? {} : { events }) };
    writeSecret(context, options, await api.webhooks.create(wanted, { signal }));
  },
};

const rotateCommand: Command = {
  name: 'rotate',
  summary: 'make another secret for a webhook',
  about: 'Makes another secret. For a time, messages have the signatures of both.',
  arguments: [WEBHOOK],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'overlap', value: 'HOURS', summary: 'how long the present secret signs as well', default: '24' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [{ line: `gptj webhooks rotate ${EXAMPLE_ID}`, caption: 'a new secret' }],

  async run(context, options) {
    const { signal } = context;
    const [id = ''] = options.positionals;
    const hours = integerOption(options, 'overlap', { min: 0, max: 168 });
    const { api } = await openClient(context, options);
    const overlap = hours === null ? {} : { overlapSeconds: hours * 3600 };
    writeSecret(context, options, await api.webhooks.rotateSecret(id, { ...overlap, signal }));
  },
};

const setEnabled = (verb: 'enable' | 'disable'): Command =>
  idsCommand({
    name: verb,
    summary: `${verb} webhooks`,
    about:
      verb === 'enable'
        ? 'Enables webhooks, also those that the server has disabled.'
        : 'Stops the messages of webhooks.',
    argument: WEBHOOK,
    examples: [{ line: `gptj webhooks ${verb} ${EXAMPLE_ID}`, caption: `${verb} a webhook` }],
    act: async (api, id, { signal }) => {
      const { isEnabled } = await api.webhooks.change(id, { isEnabled: verb === 'enable' }, { signal });
      return { fields: { isEnabled }, words: isEnabled ? 'enabled' : 'disabled' };
    },
  });

const deleteCommand = idsCommand({
  name: 'delete',
  summary: 'delete webhooks',
  about: 'Deletes webhooks and the log of their messages.',
  argument: WEBHOOK,
  examples: [{ line: `gptj webhooks delete ${EXAMPLE_ID}`, caption: 'delete a webhook' }],
  act: async (api, id, { signal }) => {
    await api.webhooks.delete(id, { signal });
    return { fields: { deleted: true }, words: 'deleted' };
  },
});

const testCommand: Command = {
  name: 'test',
  summary: 'send a test message',
  about: 'Sends a message that belongs to no run, waits for the attempt and shows what the address replied.',
  arguments: [WEBHOOK],
  notes: ['Ends with status 1 when the message was not delivered.'],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'wait', value: 'SECONDS', summary: 'how long to wait for the attempt', default: '30' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [{ line: `gptj webhooks test ${EXAMPLE_ID}`, caption: 'does it arrive?' }],

  async run(context, options) {
    const { stdout, signal, now } = context;
    const [id = ''] = options.positionals;
    const seconds = integerOption(options, 'wait', { min: 0, max: 600 }) ?? 30;
    const { api } = await openClient(context, options);
    const sent = await api.webhooks.test(id, { signal });
    const untilMs = now() + seconds * 1000;
    let delivery = sent;
    while (delivery.endedAt === null && now() < untilMs) {
      await delay(POLL_MS, undefined, { signal });
      delivery = (await findDelivery(api, id, sent.id, signal)) ?? delivery;
    }
    if (isOn(options, 'json')) writeJson(stdout, delivery);
    else stdout.write(`${delivery.id}: ${outcomeOf(delivery)}\n`);
    if (delivery.state !== 'delivered') throw new Error(`the message was not delivered: ${outcomeOf(delivery)}`);
  },
};

async function findDelivery(
  api: PipelineCloud,
  webhookId: string,
  id: string,
  signal: AbortSignal,
): Promise<WebhookDelivery | undefined> {
  const { items } = await api.webhooks.deliveries(webhookId, { limit: 100, signal });
  return items.find((delivery) => delivery.id === id);
}

const deliveriesCommand: Command = {
  name: 'deliveries',
  summary: 'list the messages of a webhook',
  about: 'Lists the messages of a webhook with the replies of its address, the newest first.',
  arguments: [WEBHOOK],
  groups: [
    {
      title: 'options',
      options: [
        {
          name: 'state',
          value: 'STATE',
          summary: 'only messages in this state',
          choices: ['pending', 'delivered', 'failed'],
        },
        { name: 'run', value: 'ID', summary: 'only messages of this run' },
        ...LIST_OPTIONS,
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [
    { line: `gptj webhooks deliveries ${EXAMPLE_ID} --state failed`, caption: 'what did not arrive, and why' },
  ],

  async run(context, options) {
    const { signal } = context;
    const [id = ''] = options.positionals;
    const state = (['pending', 'delivered', 'failed'] as const).find((known) => known === options.values.get('state'));
    const { api } = await openClient(context, options);
    const filters = { signal, state, runId: options.values.get('run') };
    const listed = await listItems(options, (page) => api.webhooks.deliveries(id, { ...filters, ...page }));
    await writeList(context, options, listed, [
      { title: 'delivery', isWhole: true, text: (delivery) => delivery.id },
      { title: 'created', isWhole: true, text: ({ createdAt }) => formatMoment(createdAt) },
      { title: 'event', isWhole: true, text: ({ event }) => event },
      { title: 'tries', align: 'right', text: ({ attempts }) => String(attempts) },
      { title: 'outcome', text: outcomeOf },
      { title: 'run', text: ({ runId }) => runId ?? '' },
    ]);
  },
};

const replayCommand: Command = {
  name: 'replay',
  summary: 'send a message again',
  about: 'Sends a message of a webhook again, as a new one.',
  arguments: [WEBHOOK, { name: 'DELIVERY', summary: 'id of the message, see gptj webhooks deliveries' }],
  groups: OPTIONS,
  examples: [
    {
      line: `gptj webhooks replay ${EXAMPLE_ID} webhook_delivery_2c8f4e6a1b3d4c5e9f7a8b6d0c2e4f1a`,
      caption: 'try again',
    },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const [id = '', delivery = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const sent = await api.webhooks.replay(id, delivery, { signal });
    if (isOn(options, 'json')) writeJson(stdout, sent);
    else stdout.write(`${sent.id}: ${sent.state}\n`);
  },
};

export const webhooksCommands: CommandGroup = {
  name: 'webhooks',
  summary: 'add, test and delete webhooks, and see their messages',
  about: 'Webhooks send a signed message when a run of the project has ended.',
  defaultCommand: 'list',
  commands: [
    listCommand,
    createCommand,
    testCommand,
    deliveriesCommand,
    replayCommand,
    rotateCommand,
    setEnabled('enable'),
    setEnabled('disable'),
    deleteCommand,
  ],
};

function writeSecret({ stdout, stderr }: CommandContext, options: ParsedOptions, webhook: Webhook): void {
  if (isOn(options, 'json')) {
    writeJson(stdout, webhook);
    return;
  }
  const { id, url, secret } = webhook;
  stdout.write(
    renderPairs(
      [
        ['webhook', id],
        ['url', url],
        ['secret', secret ?? ''],
      ],
      widthOf(stdout),
    ),
  );
  stderr.write('the secret is shown only once\n');
}

function stateOf({ isEnabled, failedAttempts, disabledReason }: Webhook): string {
  if (!isEnabled) return disabledReason === null ? 'disabled' : `disabled: ${disabledReason}`;
  return failedAttempts === 0 ? 'enabled' : `enabled, ${failedAttempts} attempts failed`;
}

function outcomeOf({ state, responseStatus, failure }: WebhookDelivery): string {
  const status = responseStatus === null ? '' : ` with status ${responseStatus}`;
  return printable(`${state}${status}${failure === null ? '' : `: ${failure}`}`);
}
