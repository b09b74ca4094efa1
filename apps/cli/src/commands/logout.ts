import { ConnectionFailedError, PermissionDeniedError, PipelineApiError } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { CODE_OPTION, JSON_OPTION, PROFILE_OPTION } from '../client/client-options.ts';
import { connectTo, missingProfile } from '../client/open-client.ts';
import { withSession } from '../client/open-session.ts';
import { openProfileStore, type Profile } from '../client/profile-store.ts';
import type { Command, CommandContext } from '../command.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { printable } from '../printable.ts';

export const logoutCommand: Command = {
  name: 'logout',
  summary: 'delete a stored profile',
  about: 'Deletes a profile with its token from this machine, and from the server a token that gptj login created.',
  arguments: [],
  notes: [
    'A token deletes itself where it has the scope admin. --revoke signs in with the password to delete any other.',
    'A token that you gave to gptj login stays valid on the server.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        PROFILE_OPTION,
        { name: 'revoke', value: null, summary: 'sign in with the password to delete the token on the server' },
        CODE_OPTION,
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    { line: 'gptj logout', caption: 'the profile in use' },
    { line: 'gptj logout --profile ci --revoke', caption: 'and delete its token on the server' },
  ],

  async run(context, options) {
    const { env, stdout, stderr } = context;
    const store = openProfileStore(env);
    const current = await store.current();
    const name = options.values.get('profile') ?? (env.GPTJ_PROFILE?.trim() || current);
    if (name === null) throw new UsageError('not logged in: there is no profile to delete');
    const profile = await store.read(name);
    if (profile === null) throw new UsageError(await missingProfile(store, name));
    const remains = await revoke(context, options, profile);
    await store.delete(name);
    if (current === name) await store.use(null);
    if (isOn(options, 'json'))
      writeJson(stdout, { profile: name, tokenId: profile.tokenId, revoked: remains === null });
    else stdout.write(`deleted profile ${name} of ${printable(profile.url)}\n`);
    const others = await store.names();
    if (current === name && others.length > 0) {
      stderr.write(`no profile is in use now; gptj profiles use NAME chooses one of ${others.join(', ')}\n`);
    }
    if (remains !== null) stderr.write(`warning: its token stays valid on the server: ${printable(remains)}\n`);
  },
};

/** Delete the token on the server. Why it stays valid there; null: it is deleted. */
async function revoke(context: CommandContext, options: ParsedOptions, profile: Profile): Promise<string | null> {
  const { url, token, tokenId, user } = profile;
  const { signal, stderr } = context;
  if (tokenId === null)
    return 'you gave it to gptj login, so delete it in the dashboard when it is not needed any more';
  if (isOn(options, 'revoke')) {
    const request = { url, login: user, code: options.values.get('code') ?? null };
    await withSession(context, request, async ({ api }) => await api.tokens.delete(tokenId, { signal }));
    return null;
  }
  try {
    await connectTo(url, { token, stderr }).tokens.delete(tokenId, { signal });
    return null;
  } catch (error) {
    if (error instanceof PermissionDeniedError) {
      return `${tokenId} may not delete itself; delete it in the dashboard, or log out with --revoke`;
    }
    // A refused token is deleted or disabled already.
    if (error instanceof PipelineApiError && error.status === 401) return null;
    if (error instanceof ConnectionFailedError) return `${error.message}; delete ${tokenId} in the dashboard`;
    throw error;
  }
}
