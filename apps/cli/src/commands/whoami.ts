import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { Command } from '../command.ts';
import { formatCount } from '../figures.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { renderPairs } from '../table.ts';

export const whoamiCommand: Command = {
  name: 'whoami',
  summary: 'show the account, its plan and the server in use',
  about: 'Shows which server and account the commands use, and what is left of the plan.',
  arguments: [],
  groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: 'gptj whoami', caption: 'the account behind the token' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const { api, url, profile } = await openClient(context, options);
    const me = await api.users.me({ signal });
    const limits = await api.limits.get({ signal });
    if (isOn(options, 'json')) {
      writeJson(stdout, { url, profile: profile?.name ?? null, user: me, limits });
      return;
    }
    const used = (name: 'day' | 'month'): string => {
      const { used: tokens, limit } = limits[name];
      return `${formatCount(tokens)}${limit === null ? ' tokens, no limit' : ` of ${formatCount(limit)} tokens`}`;
    };
    stdout.write(
      renderPairs(
        [
          ['server', url],
          ['profile', profile?.name ?? 'none: the token is from an option or a variable'],
          ['account', `${me.username} <${me.email}>, ${me.role}`],
          ['plan', limits.planId],
          ['today', used('day')],
          ['this month', used('month')],
        ],
        widthOf(stdout),
      ),
    );
  },
};
