import type { Plan, PlanChange, PlanList } from '@gptj-cloud/sdk';
import { writeJson, writeJsonLines } from '../client/api-json.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import { findUser } from '../client/find-user.ts';
import { openClient } from '../client/open-client.ts';
import { writeList } from '../client/write-list.ts';
import type { Argument, Command, CommandContext, CommandGroup } from '../command.ts';
import { formatCount } from '../figures.ts';
import { isOn, type ParsedOptions } from '../options.ts';
import { dim } from '../output.ts';
import { printable } from '../printable.ts';

const PLAN: Argument = { name: 'PLAN', summary: 'id or name of the plan, see gptj plans list' };
const OPTIONS = [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP] as const;

const listCommand: Command = {
  name: 'list',
  summary: 'list the plans, and requests for them',
  about: 'Lists the plans of the server with their limits. The plan of the project is marked.',
  arguments: [],
  notes: [
    'Below the plans are the requests that wait for an owner of the server, who answers them with gptj plans grant.',
  ],
  groups: OPTIONS,
  examples: [{ line: 'gptj plans', caption: 'what each plan allows' }],

  async run(context, options) {
    const { stdout, stderr, signal } = context;
    const { api } = await openClient(context, options);
    const { plans, current, currency, requests } = await api.plans.list({ signal });
    if (isOn(options, 'json')) {
      await writeJsonLines(
        stdout,
        plans.map((plan) => ({ ...plan, currency, isCurrent: plan.id === current })),
      );
      return;
    }
    const amount = (value: number | null): string => (value === null ? 'no limit' : formatCount(value));
    await writeList(context, options, { items: plans, total: plans.length }, [
      { title: '', text: ({ id }) => (id === current ? '*' : '') },
      { title: 'plan', isWhole: true, text: ({ id }) => id },
      { title: `${currency} a month`, align: 'right', text: ({ prices }) => String(prices.monthly) },
      { title: 'tokens a day', align: 'right', text: ({ tokensPerDay }) => amount(tokensPerDay) },
      { title: 'runs at once', align: 'right', text: ({ concurrentRuns }) => amount(concurrentRuns) },
      { title: 'models', text: ({ models }) => models.join(', ') },
      { title: 'description', text: ({ description }) => description },
    ]);
    for (const { userId, planId } of requests) {
      const user = await api.users.get(userId, { signal }).catch(() => null);
      const name = printable(user?.username ?? userId);
      stderr.write(
        `${dim(stderr, `${name} requests ${printable(planId)}: gptj plans grant ${name} ${printable(planId)}`)}\n`,
      );
    }
  },
};

const grantCommand: Command = {
  name: 'grant',
  summary: 'put an account on a plan',
  about: 'Puts an account on a plan at once, without a request or a payment. For owners of the server.',
  arguments: [{ name: 'USER', summary: 'username, e-mail address or id' }, PLAN],
  groups: OPTIONS,
  examples: [{ line: 'gptj plans grant ada premium', caption: 'let an account use GPT-J-6B' }],

  async run(context, options) {
    const { signal } = context;
    const [name = '', wanted = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const plan = findPlan(await api.plans.list({ signal }), wanted);
    const user = await findUser(api, name, signal);
    writeChange(context, options, user.username, await api.plans.change(plan, { userId: user.id, signal }));
  },
};

const requestCommand: Command = {
  name: 'request',
  summary: 'request another plan for your account',
  about: 'Requests another plan for the account of the token. An owner of the server or the payment provider decides.',
  arguments: [PLAN],
  groups: OPTIONS,
  examples: [{ line: 'gptj plans request developer', caption: 'ask for more' }],

  async run(context, options) {
    const { signal } = context;
    const [wanted = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const plan = findPlan(await api.plans.list({ signal }), wanted);
    writeChange(context, options, 'your account', await api.plans.change(plan, { signal }));
  },
};

const reloadCommand: Command = {
  name: 'reload',
  summary: 'read the file of plans again',
  about:
    'Makes the server read its PLANS_FILE again. For owners of the server; each server of a store has its own file.',
  arguments: [],
  groups: OPTIONS,
  examples: [{ line: 'gptj plans reload', caption: 'after a change of the file' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const { api } = await openClient(context, options);
    const { plans } = await api.plans.reload({ signal });
    if (isOn(options, 'json')) await writeJsonLines(stdout, plans);
    else stdout.write(`${plans.length} plans: ${plans.map(({ id }) => printable(id)).join(', ')}\n`);
  },
};

export const plansCommands: CommandGroup = {
  name: 'plans',
  summary: 'list the plans, and grant or request one',
  about: 'Plans set what an account may use: models, tokens, runs at once.',
  defaultCommand: 'list',
  commands: [listCommand, grantCommand, requestCommand, reloadCommand],
};

/** The id of the plan with that id or name. Others are left to the server, which may know plans that it does not list. */
function findPlan({ plans }: PlanList, wanted: string): string {
  const same = ({ id, name }: Plan): boolean => [id, name].some((text) => text.toLowerCase() === wanted.toLowerCase());
  return plans.find(same)?.id ?? wanted;
}

function writeChange({ stdout }: CommandContext, options: ParsedOptions, account: string, change: PlanChange): void {
  if (isOn(options, 'json')) {
    writeJson(stdout, change);
    return;
  }
  const plan = printable(change.planId);
  const words = {
    changed: `on the plan ${plan}`,
    requested: `requested ${plan}; an owner of the server decides`,
    checkout: `pay for ${plan} at ${printable(change.checkoutUrl ?? '')}`,
  };
  stdout.write(`${printable(account)}: ${words[change.status]}\n`);
}
