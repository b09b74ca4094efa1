/** The variables of each provider in OAUTH_PROVIDERS: OAUTH_CORP_CLIENT_ID and so on for `corp`. */
import { ConfigError } from '../config-error.ts';
import type { OAuthProviderSettings } from '../identity/oauth/oauth-provider.ts';

type ReadText = (variable: string) => string | null;

const KNOWN_PROVIDERS: Readonly<Record<string, Pick<OAuthProviderSettings, 'kind' | 'url'>>> = {
  github: { kind: 'github', url: 'https://github.com' },
  google: { kind: 'oidc', url: 'https://accounts.google.com' },
};

/** Rows of the table of settings, by the pattern of the variable's name. */
export const OAUTH_SETTING_ROWS: readonly {
  readonly name: string;
  readonly shownDefault: string;
  readonly help: string;
}[] = [
  { name: 'OAUTH_<NAME>_CLIENT_ID', shownDefault: 'required', help: 'client id that the provider issued' },
  { name: 'OAUTH_<NAME>_CLIENT_SECRET', shownDefault: 'required', help: 'client secret that the provider issued' },
  {
    name: 'OAUTH_<NAME>_URL',
    shownDefault: 'known for `github` and `google`',
    help: 'issuer of OpenID Connect, `https://…`; for `github` the address of a GitHub Enterprise Server',
  },
];

/** The settings of each named provider. Throws `ConfigError`; secrets stay out of messages. */
export function parseOAuthProviders(names: readonly string[], text: ReadText): readonly OAuthProviderSettings[] {
  const providers = names.map((name) => parseProvider(name, text));
  for (const key of ['name', 'url'] as const) {
    const repeated = providers.find((each, i) => providers.findIndex((other) => other[key] === each[key]) < i);
    if (repeated !== undefined)
      throw new ConfigError(`OAUTH_PROVIDERS: expected each ${key} once, got ${repeated[key]} again`);
  }
  return providers;
}

function parseProvider(name: string, text: ReadText): OAuthProviderSettings {
  const prefix = `OAUTH_${name.toUpperCase().replaceAll('-', '_')}`;
  const required = (suffix: string): string => {
    const value = text(`${prefix}_${suffix}`);
    if (value !== null && /^[\x21-\x7e]+$/.test(value)) return value;
    throw new ConfigError(`${prefix}_${suffix}: expected the value that the provider issued to this server, got none`);
  };
  const known = Object.hasOwn(KNOWN_PROVIDERS, name) ? KNOWN_PROVIDERS[name] : undefined;
  const url = text(`${prefix}_URL`) ?? known?.url ?? null;
  return {
    name,
    kind: known?.kind ?? 'oidc',
    url: parseProviderUrl(`${prefix}_URL`, url, known?.kind === 'github'),
    clientId: required('CLIENT_ID'),
    clientSecret: required('CLIENT_SECRET'),
  };
}

/** TLS, or loopback. In one spelling, because identities are stored with it. */
function parseProviderUrl(variable: string, text: string | null, isOrigin: boolean): string {
  const url = text !== null && URL.canParse(text) ? new URL(text) : null;
  const isLoopback = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url === null || !isSafe || !isPlain) {
    // A URL with credentials, or one that does not parse, may hold a secret.
    const got = text === null ? 'none' : isPlain ? JSON.stringify(text) : 'something else';
    throw new ConfigError(`${variable}: expected the https:// address of the issuer, got ${got}`);
  }
  return isOrigin ? url.origin : url.href;
}
