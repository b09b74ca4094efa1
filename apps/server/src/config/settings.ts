/**
 * The settings of the server: one schema per environment variable. The parser, the table in docs/operations.md and the
 * help of `gptj serve` derive from it. OAuth providers name variables of their own: `oauth-settings.ts`.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import type { RegistrationPolicy } from '../identity/account-deps.ts';
import { PLANS_KINDS, type PlansKind } from '../metering/plans/plan-book.ts';
import { CREDENTIAL_OUTPUTS, type CredentialOutput } from './credential-output.ts';
import { engineSettings } from './engine-settings.ts';
import { loadSettings } from './load-settings.ts';
import { observabilitySettings } from './observability-settings.ts';
import { remoteSettings } from './remote-settings.ts';
import { retentionSettings } from './retention-settings.ts';
import {
  choiceSetting,
  integerSetting,
  isHttpUrl,
  listSetting,
  setting,
  textSetting,
  tokenSetting,
} from './setting.ts';
import { webhookSettings } from './webhook-settings.ts';

const REGISTRATION_POLICIES: readonly RegistrationPolicy[] = ['open', 'invited', 'closed'];

export const settingsSchema = z.object({
  HOST: textSetting({
    group: 'Serving',
    help: 'address to listen on; `0.0.0.0` listens on every IPv4 interface',
    fallback: '127.0.0.1',
    option: { name: 'host', value: 'ADDRESS' },
  }),
  PORT: integerSetting({
    group: 'Serving',
    help: 'port to listen on; 0 chooses a free one',
    fallback: 8080,
    min: 0,
    max: 65_535,
    option: { name: 'port', short: 'p', value: 'N' },
  }),
  DATA_DIR: textSetting({
    group: 'Serving',
    help: 'folder of the embedded store: runs, files, accounts, tokens; one server at a time',
    fallback: './data',
    option: { name: 'data-dir', value: 'DIR' },
  }),
  GPTJ_MODEL: textSetting({
    group: 'Serving',
    help: 'a model that `gptj pull` has stored, by its name; a GGUF file written by `gptj convert`; or a checkpoint in another form (the folder of a Hugging Face checkpoint, a file of ggml, an archive of mesh-transformer-jax), which is converted once into `DATA_DIR/models`',
    fallback: null,
    shownDefault: 'the embedded model',
    option: { name: 'model', short: 'm', value: 'NAME|FILE|DIR' },
  }),
  GPTJ_DASHBOARD: setting({
    group: 'Serving',
    help: '`on` or `off`; `off` serves the API alone',
    fallback: true,
    shownDefault: '`on`',
    read: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
    expected: 'on or off',
  }),
  MAX_UPLOAD_BYTES: integerSetting({
    group: 'Serving',
    help: 'largest body of an upload, in bytes; each 20 MiB have two minutes to arrive',
    fallback: 20 * 2 ** 20,
    shownDefault: '20 MiB',
    min: 1024,
    max: 2 ** 30,
  }),
  MAX_JSON_BYTES: integerSetting({
    group: 'Serving',
    help: 'largest JSON body, in bytes',
    fallback: 4 * 2 ** 20,
    shownDefault: '4 MiB',
    min: 1024,
    max: 2 ** 28,
  }),
  PARSE_INLINE_BYTES: integerSetting({
    group: 'Serving',
    help: "largest request body that is read on the server's own thread; larger ones, and every pattern, are read on a worker thread",
    fallback: 16 * 2 ** 10,
    shownDefault: '16 KiB',
    min: 0,
    max: 2 ** 20,
  }),
  PARSE_THREADS: integerSetting({
    group: 'Serving',
    help: 'number of worker threads that read large requests',
    fallback: 2,
    min: 1,
    max: 64,
  }),
  PARSE_WAITING: integerSetting({
    group: 'Serving',
    help: 'maximum number of large requests that wait for a worker thread, of one project a quarter of it; further ones are refused with 503',
    fallback: 64,
    min: 1,
    max: 10_000,
  }),
  PARSE_SECONDS: integerSetting({
    group: 'Serving',
    help: 'seconds that reading one request may take before it is refused with 400',
    fallback: 5,
    min: 1,
    max: 600,
  }),
  PARSE_HEAP_MB: integerSetting({
    group: 'Serving',
    help: 'memory of one worker thread for values, in MiB',
    fallback: 1024,
    min: 64,
    max: 65_536,
  }),
  MAX_RUNNING_RUNS: integerSetting({
    group: 'Serving',
    help: 'maximum number of runs executed concurrently',
    fallback: 8,
    min: 1,
    max: 1024,
  }),
  MAX_WAITING_RUNS: integerSetting({
    group: 'Serving',
    help: 'maximum number of queued runs; further ones are refused with 429',
    fallback: 64,
    min: 0,
    max: 100_000,
  }),
  ...engineSettings,
  ...remoteSettings,
  DRAIN_TIMEOUT_SECONDS: integerSetting({
    group: 'Serving',
    help: 'how long a stopping server waits for runs in flight',
    fallback: 30,
    min: 0,
    max: 3600,
  }),
  ...retentionSettings,
  PREFIX_CACHE_MB: integerSetting({
    group: 'Serving',
    help: 'disk for shared prompt prefixes, in `DATA_DIR/prefixes`: see [below](#prompts-that-begin-alike); 0 switches it off',
    fallback: 0,
    min: 0,
    max: 2 ** 20,
  }),
  ...webhookSettings,

  DATABASE_URL: setting({
    group: 'Store',
    help: '`postgres://user:password@host:port/database`',
    fallback: null,
    shownDefault: 'the embedded store',
    read: (url) => (/^postgres(ql)?:\/\//.test(url) ? url : undefined),
    expected: 'postgres://user:password@host:port/database',
    isSecret: true,
  }),
  DATABASE_POOL_SIZE: integerSetting({
    group: 'Store',
    help: 'maximum number of database connections of one server',
    fallback: 10,
    min: 2,
    max: 1000,
  }),
  NODE_URL: setting({
    group: 'Store',
    help: 'address at which the other servers on the same PostgreSQL reach this one, to read the streams of its runs: `http(s)://host:port`, without a proxy that needs a login',
    fallback: null,
    shownDefault: '`HOST` and `PORT`; with `HOST=0.0.0.0` the first address in a network',
    read: (url) => /^(https?:\/\/[^\s/?#@]+)\/*$/.exec(url)?.[1],
    expected: 'http(s)://host:port without a path',
  }),
  PREFIX_AFFINITY: setting({
    group: 'Store',
    help: '`on` or `off`, among servers on the same PostgreSQL; `on` gives a run or a completion first to a server that has the beginning of its prompt in its cache, for 100 ms',
    fallback: true,
    shownDefault: '`on`',
    read: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
    expected: 'on or off',
  }),
  STORE_STATEMENT_TIMEOUT_SECONDS: integerSetting({
    group: 'Store',
    help: 'longest time of one statement in the store; then it is cancelled and its request answered with 503',
    fallback: 60,
    min: 1,
    max: 86_400,
  }),

  GPTJ_API_TOKEN: tokenSetting({
    group: 'Accounts',
    help: 'an API token, 8 characters or more, that a start adds to those of the store, also after it was deleted; it stays valid without the variable. Prefer the variable: process lists show options',
    shownDefault: 'generated and shown once',
    option: { name: 'token', value: 'TOKEN' },
  }),
  PRINT_CREDENTIALS: choiceSetting<CredentialOutput>({
    group: 'Accounts',
    help: 'whether the first token, the link to set up the owner and mails without `SMTP_URL` are printed: on a `terminal` only, `always` or `never`; else each is a file in `DATA_DIR` that only its user can read',
    fallback: 'terminal',
    names: CREDENTIAL_OUTPUTS,
  }),
  GPTJ_OWNER_EMAIL: textSetting({
    group: 'Accounts',
    help: "e-mail address of the owner's account",
    fallback: null,
    shownDefault: 'a one-time link is printed',
  }),
  GPTJ_OWNER_USERNAME: textSetting({
    group: 'Accounts',
    help: "username of the owner's account",
    fallback: 'owner',
  }),
  GPTJ_OWNER_PASSWORD: textSetting({
    group: 'Accounts',
    help: "password of the owner's account, used until that account has one",
    isSecret: true,
    fallback: null,
    shownDefault: 'a one-time link is printed',
  }),
  REGISTRATION: choiceSetting({
    group: 'Accounts',
    help: 'who may register: `open`, `invited` (by a project) or `closed`',
    fallback: 'open',
    names: REGISTRATION_POLICIES,
  }),
  REQUIRE_VERIFIED_EMAIL: setting({
    group: 'Accounts',
    help: 'whether an account must verify its address before it can do anything else',
    fallback: null,
    shownDefault: '`true` with `SMTP_URL`',
    read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
    expected: 'true or false',
  }),
  MAX_PASSWORD_CHECKS: integerSetting({
    group: 'Accounts',
    help: 'passwords hashed at the same time; each takes 32 MiB and some tenths of a second of a core',
    fallback: 2,
    min: 1,
    max: 64,
  }),
  MAX_WAITING_PASSWORD_CHECKS: integerSetting({
    group: 'Accounts',
    help: 'password checks that wait for their turn; further ones are refused with 503',
    fallback: 32,
    min: 0,
    max: 10_000,
  }),
  CONFIRMATION_MINUTES: integerSetting({
    group: 'Accounts',
    help: 'how long a sign-in or `POST /v2/auth/confirm` allows a session to make tokens, members, webhooks and other sensitive changes',
    fallback: 15,
    min: 1,
    max: 1440,
  }),
  SMTP_URL: setting({
    group: 'Accounts',
    help: 'mail server: `smtp://user:password@host:port` or `smtps://…`; with it an account begins when its address is confirmed',
    fallback: null,
    shownDefault: 'mails are files in `DATA_DIR/mail`, and on a terminal in the log',
    read: (url) => (/^smtps?:\/\/[^\s]+$/.test(url) ? url : undefined),
    expected: 'smtp://user:password@host:port or smtps://…',
    isSecret: true,
  }),
  MAIL_FROM: textSetting({
    group: 'Accounts',
    help: 'sender of mail',
    fallback: 'gptj-cloud <noreply@localhost>',
  }),
  PUBLIC_URL: setting({
    group: 'Accounts',
    help: 'address that links in mail begin with and that OAuth providers redirect to',
    fallback: null,
    shownDefault: 'the address that the server listens on',
    read: (url) => /^(https?:\/\/[^\s/?#@]+)\/*$/.exec(url)?.[1],
    expected: 'http(s)://host without a path',
  }),
  OAUTH_PROVIDERS: listSetting({
    group: 'Accounts',
    help: 'OAuth providers for sign-in, separated by commas: `github`, `google`, and names you choose',
    read: (name) => (/^[a-z][a-z0-9-]{0,30}$/.test(name) ? name : undefined),
    expected: 'names of lower-case letters, digits and dashes',
  }),

  PLANS: choiceSetting<PlansKind>({
    group: 'Billing',
    help: 'the built-in plans: `original`, where GPT-J-6B wants the plan Developer or Premium that an owner grants; `open`, where every account may use the loaded model without limits',
    fallback: 'original',
    names: PLANS_KINDS,
  }),
  PLANS_FILE: textSetting({
    group: 'Billing',
    help: 'JSON file of plans',
    fallback: null,
    shownDefault: 'the built-in plans',
  }),
  STRIPE_SECRET_KEY: setting({
    group: 'Billing',
    help: 'key of the Stripe account that sells the plans; all three settings or none',
    fallback: null,
    shownDefault: 'owners assign plans',
    read: (key) => (/^(sk|rk)_\w{8,}$/.test(key) ? key : undefined),
    expected: 'a key sk_… or rk_… beside STRIPE_WEBHOOK_SECRET',
    isSecret: true,
  }),
  STRIPE_WEBHOOK_SECRET: setting({
    group: 'Billing',
    help: "secret of this server's webhook endpoint at Stripe",
    fallback: null,
    read: (secret) => (/^whsec_\S{8,}$/.test(secret) ? secret : undefined),
    expected: 'the secret whsec_… of the endpoint',
    isSecret: true,
  }),
  BILLING_RETURN_URL: setting({
    group: 'Billing',
    help: 'page that Stripe returns customers to',
    fallback: null,
    read: (url) => (isHttpUrl(url) ? url : undefined),
    expected: 'the http(s) address that Stripe returns customers to',
  }),

  TRUSTED_PROXIES: listSetting({
    group: 'Network',
    help: 'addresses and networks (`10.0.0.0/8,::1`) of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted',
    read: (network) => (isNetwork(network) ? network : undefined),
    expected: 'addresses or networks (10.0.0.0/8)',
  }),
  CORS_ORIGINS: listSetting({
    group: 'Network',
    help: 'origins (`https://app.example.org`) whose pages may call the API with a token; cookies never cross origins',
    // What a browser sends: scheme, host and port, nothing else. `*` would open the API to every page.
    read: (origin) => (isHttpUrl(origin) && new URL(origin).origin === origin ? origin : undefined),
    expected: 'origins such as https://app.example.org, separated by commas',
  }),
  HSTS_SECONDS: integerSetting({
    group: 'Network',
    help: '`max-age` of `Strict-Transport-Security` for clients that came over TLS; 0 sends none',
    fallback: 0,
    min: 0,
    max: 63_072_000,
  }),

  ...loadSettings,

  ...observabilitySettings,
});

export type Settings = z.output<typeof settingsSchema>;

/** `10.0.0.0/8`, `::1`. */
function isNetwork(network: string): boolean {
  const [address = '', bits, ...more] = network.split('/');
  const maxBits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= maxBits);
  return maxBits > 0 && fits && more.length === 0;
}
