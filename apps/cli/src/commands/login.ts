import { hostname } from 'node:os';
import type { PipelineCloud, Scope } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { CODE_OPTION, JSON_OPTION } from '../client/client-options.ts';
import { checkUrl, connectTo } from '../client/open-client.ts';
import { withSession } from '../client/open-session.ts';
import { defaultProfileName, isProfileName, openProfileStore } from '../client/profile-store.ts';
import { publicClient } from '../client/public-client.ts';
import { readScopes, SCOPES_OPTION } from '../client/scopes.ts';
import { typedSecret } from '../client/typed-secret.ts';
import type { Command, CommandContext } from '../command.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { printable } from '../printable.ts';

const DEFAULT_SCOPES: readonly Scope[] = ['run', 'read', 'write'];
/** A token has about 50 characters. */
const MAX_TOKEN_BYTES = 4096;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

export const loginCommand: Command = {
  name: 'login',
  summary: 'store the address and the token of a server',
  about:
    'Asks for an API token, or signs in and creates one, checks it against the server, and stores both as a profile that the other commands use from then on.',
  arguments: [{ name: 'URL', summary: 'address of the server, such as http://127.0.0.1:8080' }],
  notes: [
    'The profile is a file of mode 0600 in $XDG_CONFIG_HOME/gptj/profiles (~/.config, on Windows APPDATA).',
    'A stored token is sent to the address of its profile alone.',
    'The password is never stored; GPTJ_PASSWORD gives it to scripts.',
    'A token with the scope admin also manages tokens, projects, users and plans: request it with --scopes where you need that.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'token-stdin', value: null, summary: 'read the token from standard input' },
        {
          name: 'user',
          short: 'u',
          value: 'NAME',
          summary: 'sign in as this user, by e-mail address or name, and create a token',
        },
        CODE_OPTION,
        { ...SCOPES_OPTION, summary: 'scopes of a created token', default: DEFAULT_SCOPES.join(',') },
        { name: 'profile', value: 'NAME', summary: 'name of the profile', default: 'the host of the address' },
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    { line: 'gptj login http://127.0.0.1:8080', caption: 'asks for a token, which is not shown' },
    { line: 'gptj login https://gptj.example.com --user ada', caption: 'sign in with a password, and create a token' },
    {
      line: 'printenv DEPLOY_TOKEN | gptj login https://gptj.example.com --token-stdin --profile ci',
      caption: 'in a script',
    },
  ],
  refused: [
    { names: ['token'], answer: 'use --token-stdin: other users of the machine can see options' },
    { names: ['password'], answer: 'set GPTJ_PASSWORD: other users of the machine can see options' },
    { names: ['add-to-git-credential'], answer: 'gptj stores tokens in profiles alone' },
  ],

  async run(context, options) {
    const { env, stdout, stderr, signal } = context;
    const url = checkUrl(options.positionals[0]!);
    const name = options.values.get('profile') ?? defaultProfileName(url);
    if (!isProfileName(name)) {
      throw new UsageError(
        `--profile: expected up to 64 lower-case letters, digits, dots, hyphens and underscores, got ${JSON.stringify(name)}`,
      );
    }
    const scopes = readScopes(options) ?? DEFAULT_SCOPES;
    const { protocol, hostname: host } = new URL(url);
    if (protocol === 'http:' && !LOOPBACK.test(host)) {
      stderr.write(`warning: ${printable(url)} is not encrypted; every network on the way can read the token\n`);
    }
    const server = await publicClient(url).server.get({ signal });
    const { token, tokenId } = await obtainToken(context, options, { url, scopes });
    const me = await connectTo(url, { token, stderr }).users.me({ signal });
    const store = openProfileStore(env);
    await store.write({ name, url, token, tokenId, user: me.email, ownsToken: tokenId !== null });
    await store.use(name);
    if (isOn(options, 'json')) {
      writeJson(stdout, { profile: name, url, user: me.email, tokenId, model: server.model, version: server.version });
      return;
    }
    stdout.write(
      `logged in to ${printable(url)} as ${printable(me.email)}: profile ${name}, model ${printable(server.model)}\n`,
    );
  },
};

interface ObtainedToken {
  readonly token: string;
  /** Id of a token that the login created; null for one that was there. */
  readonly tokenId: string | null;
}

async function obtainToken(
  context: CommandContext,
  options: ParsedOptions,
  { url, scopes }: { readonly url: string; readonly scopes: readonly Scope[] },
): Promise<ObtainedToken> {
  const { stdin, signal } = context;
  const user = options.values.get('user') ?? null;
  if (isOn(options, 'token-stdin')) {
    if (user !== null) throw new UsageError('expected --token-stdin or --user, got both');
    return { token: await readToken(stdin), tokenId: null };
  }
  if (user === null) {
    if (stdin.isTTY !== true) {
      throw new UsageError('expected --token-stdin, or --user with GPTJ_PASSWORD: standard input is no terminal');
    }
    const typed = (await typedSecret(context, 'API token (empty: sign in with a password): ')).trim();
    signal.throwIfAborted();
    if (typed !== '') return { token: typed, tokenId: null };
  }
  const request = { url, login: user, code: options.values.get('code') ?? null };
  return await withSession(context, request, async ({ api }) => await createToken(api, scopes, signal));
}

async function createToken(api: PipelineCloud, scopes: readonly Scope[], signal: AbortSignal): Promise<ObtainedToken> {
  const made = await api.tokens.create({ name: `gptj on ${hostname()}`.slice(0, 60), scopes }, { signal });
  return { token: made.value, tokenId: made.id };
}

async function readToken(stdin: CommandContext['stdin']): Promise<string> {
  let text = '';
  for await (const piece of stdin) {
    text += String(piece);
    if (text.length > MAX_TOKEN_BYTES) throw new UsageError('standard input: expected a token, got more text');
  }
  const token = text.trim();
  if (token === '') throw new UsageError('standard input: expected a token, got nothing');
  return token;
}
