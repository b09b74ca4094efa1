import { writeJson, writeJsonLines } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import { missingProfile } from '../client/open-client.ts';
import { openProfileStore } from '../client/profile-store.ts';
import { writeList } from '../client/write-list.ts';
import type { Command, CommandGroup } from '../command.ts';
import { isOn, UsageError } from '../options.ts';

const listCommand: Command = {
  name: 'list',
  summary: 'list the stored profiles',
  about: 'Lists the stored profiles. The one in use is marked. Tokens are not shown.',
  arguments: [],
  groups: [{ title: 'options', options: [JSON_OPTION] }],
  examples: [{ line: 'gptj profiles', caption: 'which servers this machine knows' }],

  async run(context, options) {
    const { env, stdout } = context;
    const store = openProfileStore(env);
    const current = env.GPTJ_PROFILE?.trim() || (await store.current());
    const names = await store.names();
    const items = (await Promise.all(names.map((name) => store.read(name)))).flatMap((profile) =>
      profile === null
        ? []
        : [{ name: profile.name, url: profile.url, user: profile.user, inUse: profile.name === current }],
    );
    if (isOn(options, 'json')) {
      await writeJsonLines(stdout, items);
      return;
    }
    await writeList(context, options, { items, total: items.length }, [
      { title: '', text: ({ inUse }) => (inUse ? '*' : '') },
      { title: 'profile', isWhole: true, text: ({ name }) => name },
      { title: 'server', text: ({ url }) => url },
      { title: 'user', text: ({ user }) => user ?? '' },
    ]);
  },
};

const useCommand: Command = {
  name: 'use',
  summary: 'use another profile from now on',
  about: 'Makes a stored profile the one that commands use. --profile and GPTJ_PROFILE choose another for one command.',
  arguments: [{ name: 'NAME', summary: 'name of the profile' }],
  groups: [{ title: 'options', options: [JSON_OPTION] }],
  examples: [{ line: 'gptj profiles use gptj.example.com', caption: 'switch to another server' }],

  async run({ env, stdout }, options) {
    const [name = ''] = options.positionals;
    const store = openProfileStore(env);
    const profile = await store.read(name);
    if (profile === null) throw new UsageError(await missingProfile(store, name));
    await store.use(name);
    if (isOn(options, 'json')) writeJson(stdout, { name, url: profile.url, user: profile.user, inUse: true });
    else stdout.write(`profile ${name}: ${profile.url}\n`);
  },
};

export const profileCommands: CommandGroup = {
  name: 'profiles',
  summary: 'list the stored servers, and choose one',
  about: 'Profiles are servers with a token, which gptj login stores and gptj logout deletes.',
  defaultCommand: 'list',
  commands: [listCommand, useCommand],
};
