import { isIPv4, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { issueText, registerSchema } from '@gptj-cloud/protocol';
import { ConfigError } from './config-error.ts';
import type { RegistrationPolicy } from './identity/account-deps.ts';
import type { OAuthProviderSettings } from './identity/oauth/oauth-provider.ts';
import type { OwnerSettings } from './identity/users/registration.ts';
import { LOG_LEVELS, type LogLevel } from './telemetry/logger.ts';

/** Everything that can be set, parsed. */
export interface ServerConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  /** GGUF file; null: the embedded model. */
  readonly modelPath: string | null;
  /** Disk for beginnings of prompts that are used again and again, in `dataDir`; 0: they end with the process. */
  readonly prefixCacheBytes: number;
  /** Null: made on the first start and shown once. */
  readonly apiToken: string | null;
  readonly maxUploadBytes: number;
  readonly maxJsonBytes: number;
  readonly maxRunningRuns: number;
  readonly maxWaitingRuns: number;
  /** How long a stopping server waits for runs in flight. */
  readonly drainTimeoutMs: number;
  /** Days that ended runs, their data and results are kept; 0: for ever. */
  readonly retentionDays: number;
  /** Let webhooks go to private networks and this machine, too. */
  readonly webhookPrivateTargets: boolean;
  /** PostgreSQL to keep everything in; null: the embedded one in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly databasePoolSize: number;
  readonly logLevel: LogLevel;
  /** Addresses and networks (CIDR) of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly trustedProxies: readonly string[];
  /** Origins whose pages may call the API; never `*` with credentials, none by default. */
  readonly corsOrigins: readonly string[];
  /** For Strict-Transport-Security over TLS; 0 sends none. */
  readonly hstsSeconds: number;
  /** Lets a scraper read /metrics without an account; null: an admin's API token is needed. */
  readonly metricsToken: string | null;
  /** OpenTelemetry collector that traces go to by OTLP/HTTP; null: none are made. */
  readonly otlpEndpoint: string | null;
  readonly otlpHeaders: Readonly<Record<string, string>>;
  readonly otelServiceName: string;
  /** JSON file of plans; null: the built-in ones. */
  readonly plansFile: string | null;
  /** Null: an owner of the server grants plans. */
  readonly stripe: StripeConfig | null;
  readonly accounts: AccountsConfig;
}

/** How people come by accounts. */
export interface AccountsConfig {
  /** The first user, until somebody can sign in as it; null: a link to set it up is printed. */
  readonly owner: OwnerSettings | null;
  readonly registration: RegistrationPolicy;
  /** SMTP server for links; null: they go to the log. */
  readonly smtpUrl: string | null;
  readonly mailFrom: string;
  /** Where people reach this server, for links; null: where it listens. */
  readonly publicUrl: string | null;
  /** Default: where mail can be sent. */
  readonly requireVerifiedEmail: boolean;
  /** Whom else people can sign in with. */
  readonly providers: readonly OAuthProviderSettings[];
}

/** How plans are sold through Stripe. */
export interface StripeConfig {
  readonly secretKey: string;
  /** Of this server's webhook endpoint. */
  readonly webhookSecret: string;
  /** Where people come back to from paying. */
  readonly returnUrl: string;
}

export type ServerOptions = Partial<ServerConfig>;

/** Settings from options, then the environment, then defaults. An empty variable counts as unset. Throws `ConfigError`. */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
  options: ServerOptions = {},
): ServerConfig {
  const text = (name: string): string | null => {
    const value = environment[name]?.trim() ?? '';
    return value === '' ? null : value;
  };
  const integer = (name: string, option: number | undefined, fallback: number, min: number, max: number): number => {
    const given = option ?? text(name);
    if (given === null) return fallback;
    const value = typeof given === 'number' ? given : /^\d{1,12}$/.test(given) ? Number(given) : Number.NaN;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new ConfigError(`${name}: expected an integer from ${min} to ${max}, got ${JSON.stringify(given)}`);
    }
    return value;
  };
  const modelPath = options.modelPath ?? text('GPTJ_MODEL');
  const drainSeconds = integer('DRAIN_TIMEOUT_SECONDS', undefined, 30, 0, 3600);
  return {
    host: options.host ?? text('HOST') ?? '127.0.0.1',
    port: integer('PORT', options.port, 8080, 0, 65535),
    dataDir: resolve(options.dataDir ?? text('DATA_DIR') ?? 'data'),
    modelPath: modelPath === null ? null : resolve(modelPath),
    prefixCacheBytes: options.prefixCacheBytes ?? integer('PREFIX_CACHE_MB', undefined, 0, 0, 2 ** 20) * 2 ** 20,
    apiToken: parseToken('GPTJ_API_TOKEN', options.apiToken ?? text('GPTJ_API_TOKEN')),
    maxUploadBytes: integer('MAX_UPLOAD_BYTES', options.maxUploadBytes, 20 * 2 ** 20, 1024, 2 ** 30),
    maxJsonBytes: integer('MAX_JSON_BYTES', options.maxJsonBytes, 4 * 2 ** 20, 1024, 2 ** 28),
    maxRunningRuns: integer('MAX_RUNNING_RUNS', options.maxRunningRuns, 8, 1, 1024),
    maxWaitingRuns: integer('MAX_WAITING_RUNS', options.maxWaitingRuns, 64, 0, 100_000),
    drainTimeoutMs: options.drainTimeoutMs ?? drainSeconds * 1000,
    retentionDays: integer('RETENTION_DAYS', options.retentionDays, 0, 0, 36_500),
    webhookPrivateTargets:
      options.webhookPrivateTargets ?? parseSwitch('WEBHOOK_PRIVATE_TARGETS', text('WEBHOOK_PRIVATE_TARGETS')),
    databaseUrl: parseDatabaseUrl(options.databaseUrl ?? text('DATABASE_URL')),
    databasePoolSize: integer('DATABASE_POOL_SIZE', options.databasePoolSize, 10, 2, 1000),
    logLevel: options.logLevel ?? parseLogLevel(text('LOG_LEVEL')),
    trustedProxies: options.trustedProxies ?? list(text('TRUSTED_PROXIES')).map(parseNetwork),
    corsOrigins: options.corsOrigins ?? list(text('CORS_ORIGINS')).map(parseOrigin),
    hstsSeconds: integer('HSTS_SECONDS', options.hstsSeconds, 0, 0, 63_072_000),
    metricsToken: parseToken('METRICS_TOKEN', options.metricsToken ?? text('METRICS_TOKEN')),
    otlpEndpoint: parseOtlpEndpoint(options.otlpEndpoint ?? text('OTEL_EXPORTER_OTLP_ENDPOINT')),
    otlpHeaders: options.otlpHeaders ?? parseOtlpHeaders(text('OTEL_EXPORTER_OTLP_HEADERS')),
    otelServiceName: options.otelServiceName ?? text('OTEL_SERVICE_NAME') ?? 'gptj-cloud',
    accounts: options.accounts ?? parseAccountsConfig(text),
    plansFile: options.plansFile ?? text('PLANS_FILE'),
    stripe:
      options.stripe ??
      parseStripe(text('STRIPE_SECRET_KEY'), text('STRIPE_WEBHOOK_SECRET'), text('BILLING_RETURN_URL')),
  };
}

function parseAccountsConfig(text: (name: string) => string | null): AccountsConfig {
  const smtpUrl = text('SMTP_URL');
  // The address stays out of the message: it holds a password.
  if (smtpUrl !== null && !/^smtps?:\/\/[^\s]+$/.test(smtpUrl)) {
    throw new ConfigError('SMTP_URL: expected smtp://user:password@host:port or smtps://…, got something else');
  }
  const publicUrl = text('PUBLIC_URL')?.replace(/\/+$/, '') ?? null;
  if (publicUrl !== null && !/^https?:\/\/[^\s/?#@]+$/.test(publicUrl)) {
    throw new ConfigError(`PUBLIC_URL: expected http(s)://host without a path, got ${JSON.stringify(publicUrl)}`);
  }
  const mailFrom = text('MAIL_FROM') ?? 'gptj-cloud <noreply@localhost>';
  return {
    owner: parseOwner(text),
    registration: choice('REGISTRATION', text('REGISTRATION') ?? 'open', ['open', 'invited', 'closed']),
    smtpUrl,
    mailFrom,
    publicUrl,
    requireVerifiedEmail:
      choice('REQUIRE_VERIFIED_EMAIL', text('REQUIRE_VERIFIED_EMAIL') ?? String(smtpUrl !== null), [
        'true',
        'false',
      ]) === 'true',
    providers: parseProviders(text),
  };
}

/** Where providers that everybody knows are. */
const KNOWN_PROVIDERS: Readonly<Record<string, Pick<OAuthProviderSettings, 'kind' | 'url'>>> = {
  github: { kind: 'github', url: 'https://github.com' },
  google: { kind: 'oidc', url: 'https://accounts.google.com' },
};

/** `OAUTH_PROVIDERS=google,corp`, and for each of them OAUTH_CORP_CLIENT_ID and so on. Secrets stay out of messages. */
function parseProviders(text: (name: string) => string | null): readonly OAuthProviderSettings[] {
  const providers = list(text('OAUTH_PROVIDERS')).map((name): OAuthProviderSettings => {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
      throw new ConfigError(
        `OAUTH_PROVIDERS: expected names of lower-case letters, digits and dashes, got ${JSON.stringify(name)}`,
      );
    }
    const prefix = `OAUTH_${name.toUpperCase().replaceAll('-', '_')}`;
    const needed = (setting: string): string => {
      const value = text(`${prefix}_${setting}`);
      if (value !== null && /^[\x21-\x7e]+$/.test(value)) return value;
      throw new ConfigError(`${prefix}_${setting}: expected what the provider gave this server, got none`);
    };
    const known = Object.hasOwn(KNOWN_PROVIDERS, name) ? KNOWN_PROVIDERS[name] : undefined;
    const url = text(`${prefix}_URL`) ?? known?.url ?? null;
    return {
      name,
      kind: known?.kind ?? 'oidc',
      url: parseProviderUrl(`${prefix}_URL`, url, known?.kind === 'github'),
      clientId: needed('CLIENT_ID'),
      clientSecret: needed('CLIENT_SECRET'),
    };
  });
  for (const key of ['name', 'url'] as const) {
    const again = providers.find((each, i) => providers.findIndex((other) => other[key] === each[key]) < i);
    if (again !== undefined)
      throw new ConfigError(`OAUTH_PROVIDERS: expected each ${key} once, got ${again[key]} again`);
  }
  return providers;
}

/** TLS, or this machine. In one spelling: accounts are linked to it. */
function parseProviderUrl(name: string, text: string | null, isOrigin: boolean): string {
  const url = text !== null && URL.canParse(text) ? new URL(text) : null;
  const isLoopback = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url === null || !isSafe || !isPlain) {
    // Some write a password into it; what cannot be read might hold one.
    const got = text === null ? 'none' : isPlain ? JSON.stringify(text) : 'something else';
    throw new ConfigError(`${name}: expected the https:// address of the issuer, got ${got}`);
  }
  return isOrigin ? url.origin : url.href;
}

/** Passwords stay out of messages. */
function parseOwner(text: (name: string) => string | null): OwnerSettings | null {
  const email = text('GPTJ_OWNER_EMAIL');
  const password = text('GPTJ_OWNER_PASSWORD');
  if (email === null && password === null) return null;
  const username = text('GPTJ_OWNER_USERNAME') ?? 'owner';
  const parsed = registerSchema.safeParse({ email, username, password }, { error: issueText });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `GPTJ_OWNER_${path.join('').toUpperCase()}: ${message}`,
  );
  throw new ConfigError(faults.join('; '));
}

function choice<Name extends string>(name: string, value: string, names: readonly Name[]): Name {
  const known = names.find((each) => each === value);
  if (known === undefined) throw new ConfigError(`${name}: expected ${names.join(', ')}, got ${JSON.stringify(value)}`);
  return known;
}

function parseToken(name: string, token: string | null): string | null {
  if (token === null) return null;
  // The token itself stays out of the message: it may be a typing error away from the real one.
  if (!/^[\x21-\x7e]{8,512}$/.test(token)) {
    throw new ConfigError(`${name}: expected 8 to 512 printable ASCII characters without blanks, got something else`);
  }
  return token;
}

function list(text: string | null): readonly string[] {
  return (text ?? '').split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]));
}

/** The address itself stays out of messages: it holds a password. */
function parseDatabaseUrl(url: string | null): string | null {
  if (url === null || /^postgres(ql)?:\/\//.test(url)) return url;
  throw new ConfigError('DATABASE_URL: expected postgres://user:password@host:port/database, got something else');
}

function parseLogLevel(level: string | null): LogLevel {
  const known = LOG_LEVELS.find((each) => each === (level ?? 'info'));
  if (known !== undefined) return known;
  throw new ConfigError(`LOG_LEVEL: expected one of ${LOG_LEVELS.join(', ')}, got ${JSON.stringify(level)}`);
}

/** `10.0.0.0/8`, `::1`. */
function parseNetwork(network: string): string {
  const [address = '', bits, ...more] = network.split('/');
  const max = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= max);
  if (max > 0 && fits && more.length === 0) return network;
  throw new ConfigError(`TRUSTED_PROXIES: expected addresses or networks (10.0.0.0/8), got ${JSON.stringify(network)}`);
}

function parseOrigin(origin: string): string {
  // What a browser sends: scheme, host and port, nothing else. `*` would open the API to every page.
  if (URL.canParse(origin) && new URL(origin).origin === origin && /^https?:/.test(origin)) return origin;
  throw new ConfigError(
    `CORS_ORIGINS: expected origins such as https://app.example.org, separated by commas, got ${JSON.stringify(origin)}`,
  );
}

function parseOtlpEndpoint(endpoint: string | null): string | null {
  if (endpoint === null || (URL.canParse(endpoint) && /^https?:/.test(endpoint))) return endpoint;
  throw new ConfigError(`OTEL_EXPORTER_OTLP_ENDPOINT: expected an http(s) address, got ${JSON.stringify(endpoint)}`);
}

/** `name=value,name=value`, values percent-encoded, as OpenTelemetry defines it. Values stay out of messages. */
function parseOtlpHeaders(text: string | null): Readonly<Record<string, string>> {
  const pairs = list(text).map((pair): [string, string] => {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x21-\x7e ]*)$/.exec(pair) ?? [];
    try {
      if (name !== undefined && value !== undefined) return [name, decodeURIComponent(value)];
    } catch {
      // Not percent-encoded UTF-8; refused like the rest.
    }
    throw new ConfigError('OTEL_EXPORTER_OTLP_HEADERS: expected name=value,name=value, got something else');
  });
  return Object.fromEntries(pairs);
}

/** All three or none. The secrets stay out of messages. */
function parseStripe(
  secretKey: string | null,
  webhookSecret: string | null,
  returnUrl: string | null,
): StripeConfig | null {
  if (secretKey === null && webhookSecret === null) return null;
  if (secretKey === null || !/^(sk|rk)_\w{8,}$/.test(secretKey)) {
    throw new ConfigError('STRIPE_SECRET_KEY: expected a key sk_… or rk_… beside STRIPE_WEBHOOK_SECRET, got none');
  }
  if (webhookSecret === null || !/^whsec_\S{8,}$/.test(webhookSecret)) {
    throw new ConfigError('STRIPE_WEBHOOK_SECRET: expected the secret whsec_… of the endpoint, got none');
  }
  if (returnUrl === null || !URL.canParse(returnUrl) || !/^https?:/.test(returnUrl)) {
    throw new ConfigError(
      `BILLING_RETURN_URL: expected the http(s) address people come back to from paying, got ${JSON.stringify(returnUrl)}`,
    );
  }
  return { secretKey, webhookSecret, returnUrl };
}

function parseSwitch(name: string, value: string | null): boolean {
  if (value === null || value === 'false') return false;
  if (value === 'true') return true;
  throw new ConfigError(`${name}: expected true or false, got ${JSON.stringify(value)}`);
}
