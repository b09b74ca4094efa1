/** Chooses the server and the token of a command, and opens the client. */
import { PipelineCloud } from '@gptj-cloud/sdk';
import type { CommandContext } from '../command.ts';
import { type ParsedOptions, UsageError } from '../options.ts';
import { openProfileStore, type Profile, type ProfileStore } from './profile-store.ts';
import { reportRetry } from './report-retry.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

export interface ServerAccess {
  readonly url: string;
  readonly token: string;
  /** The profile that the token is from; null: an option or a variable. */
  readonly profile: Profile | null;
}

export interface OpenedClient extends ServerAccess {
  readonly api: PipelineCloud;
}

type ClientContext = Pick<CommandContext, 'env' | 'stderr'>;

/**
 * Throws `UsageError` where no token is known. Commands for operators also read GPTJ_API_TOKEN, the server's own variable, as
 * they did when it was the only one.
 */
export async function openClient(
  context: ClientContext,
  options: ParsedOptions,
  { isAdmin = false }: { readonly isAdmin?: boolean } = {},
): Promise<OpenedClient> {
  const { env, stderr } = context;
  const chosen = await chooseAccess(context, options);
  const ofServer = env.GPTJ_API_TOKEN?.trim() || null;
  const access = chosen.token === null && isAdmin ? { ...chosen, token: ofServer } : chosen;
  if (chosen.token === null && access.token !== null) {
    stderr.write(`warning: the token is from GPTJ_API_TOKEN, a setting of servers; name it PIPELINE_API_TOKEN\n`);
  }
  if (access.token === null) throw missingToken(access.url, access.storedUrl);
  const { url, token, profile } = access;
  return { url, token, profile, api: connectTo(url, { token, stderr }) };
}

/** The server of a command that needs no token. `api` is null where no token is known. */
export async function chooseServer(
  context: ClientContext,
  options: ParsedOptions,
): Promise<{ readonly url: string; readonly api: PipelineCloud | null }> {
  const { url, token } = await chooseAccess(context, options);
  return { url, api: token === null ? null : connectTo(url, { token, stderr: context.stderr }) };
}

/** A client with the token that says when it waits. Throws `UsageError` for an address or a token that cannot be one. */
export function connectTo(
  url: string,
  { token, stderr }: { readonly token: string; readonly stderr: CommandContext['stderr'] },
): PipelineCloud {
  try {
    return new PipelineCloud({ url, token, onRetry: reportRetry(stderr) });
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message, { cause: error }) : error;
  }
}

interface ChosenAccess {
  readonly url: string;
  readonly token: string | null;
  readonly profile: Profile | null;
  /** Address of the profile whose token was not used, because it is for that address alone. */
  readonly storedUrl: string | null;
}

/**
 * The options come first, then a profile that an option names, then the variables, then the profile of GPTJ_PROFILE or of
 * the last login. The token of a profile is used for the address of that profile alone: no other server may receive it.
 */
async function chooseAccess(context: ClientContext, options: ParsedOptions): Promise<ChosenAccess> {
  const { env } = context;
  const named = options.values.get('profile');
  const profile = await chooseProfile(context, named);
  const variable = (name: string): string | undefined =>
    named === undefined ? env[name]?.trim() || undefined : undefined;
  const url = checkUrl(options.values.get('url') ?? variable('PIPELINE_API_URL') ?? profile?.url ?? DEFAULT_URL);
  const given = options.values.get('token') ?? variable('PIPELINE_API_TOKEN');
  if (given !== undefined) return { url, token: given, profile: null, storedUrl: null };
  if (profile === null) return { url, token: null, profile: null, storedUrl: null };
  const fits = new URL(profile.url).href === new URL(url).href;
  return fits
    ? { url, token: profile.token, profile, storedUrl: null }
    : { url, token: null, profile: null, storedUrl: profile.url };
}

async function chooseProfile({ env, stderr }: ClientContext, named: string | undefined): Promise<Profile | null> {
  const store = openProfileStore(env);
  const wanted = named ?? (env.GPTJ_PROFILE?.trim() || null);
  const name = wanted ?? (await store.current());
  if (name === null) return null;
  const profile = await store.read(name);
  if (profile === null) {
    if (wanted === null) return null;
    throw new UsageError(await missingProfile(store, name));
  }
  if (await store.isExposed(name)) {
    stderr.write(`warning: other users can read the token of profile ${name}: chmod 600 its file in ${store.folder}\n`);
  }
  return profile;
}

export async function missingProfile(store: ProfileStore, name: string): Promise<string> {
  const names = await store.names();
  const known = names.length === 0 ? 'there are none yet: gptj login URL' : `expected one of ${names.join(', ')}`;
  return `no profile ${JSON.stringify(name)}; ${known}`;
}

/** The address without a trailing slash. Throws `UsageError`. */
export function checkUrl(url: string): string {
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--url: expected an address like http://127.0.0.1:8080, got ${JSON.stringify(url)}`);
  }
  const { username, password, search, hash, href } = new URL(url);
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    throw new UsageError('--url: expected an address without user name, query or fragment');
  }
  return href.endsWith('/') ? href.slice(0, -1) : href;
}

function missingToken(url: string, storedUrl: string | null): UsageError {
  const stored =
    storedUrl === null ? '' : `; that of the stored profile is for ${storedUrl} alone, and is sent to no other server`;
  return new UsageError(`no API token for ${url}: gptj login ${url} stores one, or set PIPELINE_API_TOKEN${stored}`);
}
