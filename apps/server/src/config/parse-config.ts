import { resolve } from 'node:path';
import type { Recipe } from '@gptj-cloud/checkpoint';
import { issueText, ownerSchema } from '@gptj-cloud/protocol';
import { ConfigError } from '../config-error.ts';
import type { LoadLimits } from '../http/load/load-limits.ts';
import type { RegistrationPolicy } from '../identity/account-deps.ts';
import type { OAuthProviderSettings } from '../identity/oauth/oauth-provider.ts';
import { isCommonPassword } from '../identity/sessions/common-password.ts';
import type { OwnerSettings } from '../identity/users/set-up-owner.ts';
import type { PlansKind } from '../metering/plans/plan-book.ts';
import type { LogLevel } from '../telemetry/logger.ts';
import type { WebhookLimits } from '../webhooks/webhook-limits.ts';
import type { CredentialOutput } from './credential-output.ts';
import { type EngineSize, parseEngineSize } from './engine-settings.ts';
import { parseLoad } from './load-settings.ts';
import { chooseModels, type ModelChoice } from './model-entry.ts';
import { parseOAuthProviders } from './oauth-settings.ts';
import type { LogFormat } from './observability-settings.ts';
import { parseRemoteEngine, type RemoteEngineConfig } from './remote-settings.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { toWebhookLimits } from './webhook-settings.ts';

/** The parsed settings, in the units that the code uses. `settings.ts` describes each. */
export interface ServerConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  /** GGUF file, or a checkpoint in another form; null: the embedded model. Of several models, the first. */
  readonly modelPath: string | null;
  /** The same setting, where it may be the name of a pulled model: it is one if there is nothing at the path. */
  readonly modelName: string | null;
  /** Every model where several are served, the first one included; empty: one is. */
  readonly models: readonly ModelChoice[];
  /** Memory of all loaded models together, where several are served; null: what is free at the start. */
  readonly modelMemoryBytes: number | null;
  /** The model that guesses tokens: a path, the name of a pulled model, or `embedded`; null: none. */
  readonly draftModel: string | null;
  /** Disk for shared prompt prefixes in `dataDir`; 0: they end with the process. */
  readonly prefixCacheBytes: number;
  /** Null: generated on the first start and shown once. */
  readonly apiToken: string | null;
  /** Whether the dashboard is served beside the API. */
  readonly dashboard: boolean;
  readonly maxUploadBytes: number;
  readonly maxJsonBytes: number;
  /** Largest body that is read on the server's own thread. */
  readonly parseInlineBytes: number;
  readonly parseThreads: number;
  readonly parseWaiting: number;
  readonly parseDeadlineMs: number;
  readonly parseHeapMb: number;
  readonly maxRunningRuns: number;
  readonly maxWaitingRuns: number;
  /** Null: no limit. */
  readonly maxQueueMs: number | null;
  /** False: the models are those of the workers on the PostgreSQL, which compute. */
  readonly hasEngine: boolean;
  readonly engineSize: EngineSize;
  /** A server that computes the model; null: this process does. */
  readonly remoteEngine: RemoteEngineConfig | null;
  /** Type of the weights of a converted folder. */
  readonly modelType: Recipe;
  readonly engineStallMs: number;
  readonly engineEvaluationMs: number;
  readonly drainTimeoutMs: number;
  /** 0: ended runs are kept forever. */
  readonly retentionDays: number;
  /** 0: entries of the audit log are kept forever. */
  readonly auditRetentionDays: number;
  readonly webhookPrivateTargets: boolean;
  readonly webhookLimits: WebhookLimits;
  /** PostgreSQL; null: the embedded store in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly databasePoolSize: number;
  /** Where other servers on the PostgreSQL reach this one; null: where it listens. */
  readonly nodeUrl: string | null;
  readonly prefixAffinity: boolean;
  /** Longest time of one statement in either store. */
  readonly storeStatementTimeoutMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly printCredentials: CredentialOutput;
  /** Addresses and networks (CIDR). */
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  /** 0: no Strict-Transport-Security. */
  readonly hstsSeconds: number;
  /** Null: only an admin's API token reads /metrics. */
  readonly metricsToken: string | null;
  /** Null: no traces. */
  readonly otlpEndpoint: string | null;
  readonly otlpHeaders: Readonly<Record<string, string>>;
  readonly otelServiceName: string;
  /** The built-in plans. */
  readonly plansKind: PlansKind;
  /** Null: the built-in plans. */
  readonly plansFile: string | null;
  /** Null: an owner of the server assigns plans. */
  readonly stripe: StripeConfig | null;
  readonly accounts: AccountsConfig;
  readonly load: LoadLimits;
  readonly maxPasswordChecks: number;
  readonly maxWaitingPasswordChecks: number;
}

export interface AccountsConfig {
  /** The first user, until its account has a password; null: a link to set it up is printed. */
  readonly owner: OwnerSettings | null;
  readonly registration: RegistrationPolicy;
  /** Null: links are logged. */
  readonly smtpUrl: string | null;
  readonly mailFrom: string;
  /** For links; null: the address that the server listens on. */
  readonly publicUrl: string | null;
  readonly requireVerifiedEmail: boolean;
  readonly confirmationMs: number;
  readonly providers: readonly OAuthProviderSettings[];
}

/** Settings for selling plans through Stripe. */
export interface StripeConfig {
  readonly secretKey: string;
  /** Secret of this server's webhook endpoint. */
  readonly webhookSecret: string;
  /** Page that Stripe returns customers to. */
  readonly returnUrl: string;
}

export type ServerOptions = Partial<ServerConfig>;

/** Options that stand for a variable of the same unit; they pass the same checks. */
const VARIABLE_OF_OPTION = {
  host: 'HOST',
  port: 'PORT',
  dataDir: 'DATA_DIR',
  modelPath: 'GPTJ_MODEL',
  draftModel: 'GPTJ_DRAFT_MODEL',
  apiToken: 'GPTJ_API_TOKEN',
  maxUploadBytes: 'MAX_UPLOAD_BYTES',
  maxJsonBytes: 'MAX_JSON_BYTES',
  parseInlineBytes: 'PARSE_INLINE_BYTES',
  parseThreads: 'PARSE_THREADS',
  parseWaiting: 'PARSE_WAITING',
  maxRunningRuns: 'MAX_RUNNING_RUNS',
  maxWaitingRuns: 'MAX_WAITING_RUNS',
  retentionDays: 'RETENTION_DAYS',
  auditRetentionDays: 'AUDIT_RETENTION_DAYS',
  databaseUrl: 'DATABASE_URL',
  databasePoolSize: 'DATABASE_POOL_SIZE',
  hstsSeconds: 'HSTS_SECONDS',
  logFormat: 'LOG_FORMAT',
  printCredentials: 'PRINT_CREDENTIALS',
  plansKind: 'PLANS',
  modelType: 'GPTJ_MODEL_TYPE',
  metricsToken: 'METRICS_TOKEN',
  otlpEndpoint: 'OTEL_EXPORTER_OTLP_ENDPOINT',
} as const satisfies Partial<Record<keyof ServerConfig, keyof Settings>>;

/** The text of every variable, where an option or the environment sets it. */
export function givenSettings(
  environment: Readonly<Record<string, string | undefined>>,
  options: ServerOptions,
): Readonly<Record<string, string | undefined>> {
  const given: Record<string, string | undefined> = {};
  for (const name of Object.keys(settingsSchema.shape)) given[name] = environment[name];
  for (const [option, variable] of Object.entries(VARIABLE_OF_OPTION)) {
    const value = Object.entries(options).find(([name]) => name === option)?.[1];
    if (value !== undefined && value !== null) given[variable] = String(value);
  }
  return given;
}

/**
 * Settings from options, then the environment, then defaults. An empty variable counts as unset.
 *
 * Throws `ConfigError` that lists every invalid variable with the expected and the actual value.
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
  options: ServerOptions = {},
): ServerConfig {
  const parsed = settingsSchema.safeParse(givenSettings(environment, options));
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  }
  const settings = parsed.data;
  const models = chooseModels(settings.GPTJ_MODEL, settings.GPTJ_MODELS);
  const [first] = models;
  const hasEngine = options.hasEngine ?? settings.GPTJ_ENGINE !== 'none';
  const text = (variable: string): string | null => {
    const value = environment[variable]?.trim() ?? '';
    return value === '' ? null : value;
  };
  return {
    host: settings.HOST,
    port: settings.PORT,
    dataDir: resolve(settings.DATA_DIR),
    modelPath: first?.modelPath ?? null,
    draftModel: settings.GPTJ_DRAFT_MODEL,
    modelName: first?.modelName ?? null,
    models: options.models ?? (settings.GPTJ_MODELS.length === 0 ? [] : models),
    modelMemoryBytes:
      options.modelMemoryBytes ?? (settings.MODEL_MEMORY_MB === 0 ? null : settings.MODEL_MEMORY_MB * 1e6),
    prefixCacheBytes: options.prefixCacheBytes ?? settings.PREFIX_CACHE_MB * 2 ** 20,
    apiToken: settings.GPTJ_API_TOKEN,
    dashboard: options.dashboard ?? settings.GPTJ_DASHBOARD,
    maxUploadBytes: settings.MAX_UPLOAD_BYTES,
    maxJsonBytes: settings.MAX_JSON_BYTES,
    parseInlineBytes: settings.PARSE_INLINE_BYTES,
    parseThreads: settings.PARSE_THREADS,
    parseWaiting: settings.PARSE_WAITING,
    parseDeadlineMs: options.parseDeadlineMs ?? settings.PARSE_SECONDS * 1000,
    parseHeapMb: settings.PARSE_HEAP_MB,
    maxRunningRuns: hasEngine ? settings.MAX_RUNNING_RUNS : 0,
    maxWaitingRuns: settings.MAX_WAITING_RUNS,
    maxQueueMs: options.maxQueueMs ?? (settings.MAX_QUEUE_SECONDS === 0 ? null : settings.MAX_QUEUE_SECONDS * 1000),
    hasEngine,
    engineSize: options.engineSize ?? parseEngineSize(settings),
    remoteEngine:
      options.remoteEngine ??
      parseRemoteEngine(settings.GPTJ_ENGINE instanceof URL ? settings.GPTJ_ENGINE : null, settings),
    modelType: settings.GPTJ_MODEL_TYPE,
    engineStallMs: options.engineStallMs ?? settings.ENGINE_STALL_SECONDS * 1000,
    engineEvaluationMs: options.engineEvaluationMs ?? settings.ENGINE_EVALUATION_SECONDS * 1000,
    drainTimeoutMs: options.drainTimeoutMs ?? settings.DRAIN_TIMEOUT_SECONDS * 1000,
    retentionDays: settings.RETENTION_DAYS,
    auditRetentionDays: settings.AUDIT_RETENTION_DAYS,
    webhookPrivateTargets: options.webhookPrivateTargets ?? settings.WEBHOOK_PRIVATE_TARGETS,
    webhookLimits: options.webhookLimits ?? toWebhookLimits(settings),
    databaseUrl: settings.DATABASE_URL,
    databasePoolSize: settings.DATABASE_POOL_SIZE,
    nodeUrl: options.nodeUrl ?? settings.NODE_URL,
    prefixAffinity: settings.PREFIX_AFFINITY,
    storeStatementTimeoutMs: options.storeStatementTimeoutMs ?? settings.STORE_STATEMENT_TIMEOUT_SECONDS * 1000,
    logLevel: options.logLevel ?? settings.LOG_LEVEL,
    logFormat: settings.LOG_FORMAT,
    printCredentials: settings.PRINT_CREDENTIALS,
    trustedProxies: options.trustedProxies ?? settings.TRUSTED_PROXIES,
    corsOrigins: options.corsOrigins ?? settings.CORS_ORIGINS,
    hstsSeconds: settings.HSTS_SECONDS,
    metricsToken: settings.METRICS_TOKEN,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    otlpHeaders: options.otlpHeaders ?? settings.OTEL_EXPORTER_OTLP_HEADERS,
    otelServiceName: options.otelServiceName ?? settings.OTEL_SERVICE_NAME,
    accounts: options.accounts ?? {
      owner: parseOwner(settings),
      registration: settings.REGISTRATION,
      smtpUrl: settings.SMTP_URL,
      mailFrom: settings.MAIL_FROM,
      publicUrl: settings.PUBLIC_URL,
      requireVerifiedEmail: settings.REQUIRE_VERIFIED_EMAIL ?? settings.SMTP_URL !== null,
      confirmationMs: settings.CONFIRMATION_MINUTES * 60_000,
      providers: parseOAuthProviders(settings.OAUTH_PROVIDERS, text),
    },
    load: options.load ?? parseLoad(settings),
    maxPasswordChecks: settings.MAX_PASSWORD_CHECKS,
    maxWaitingPasswordChecks: settings.MAX_WAITING_PASSWORD_CHECKS,
    plansKind: parsePlansKind(settings),
    plansFile: options.plansFile ?? settings.PLANS_FILE,
    stripe: options.stripe ?? parseStripe(settings),
  };
}

/** The open plans cannot be sold, nor stand beside others. */
function parsePlansKind({ PLANS: kind, PLANS_FILE: file, STRIPE_SECRET_KEY: stripe }: Settings): PlansKind {
  if (kind === 'open' && (file !== null || stripe !== null)) {
    const other = file === null ? 'STRIPE_SECRET_KEY' : 'PLANS_FILE';
    throw new ConfigError(`PLANS: expected original beside ${other}, got open; leave one of them out`);
  }
  return kind;
}

/** The password stays out of messages. */
function parseOwner(settings: Settings): OwnerSettings | null {
  const { GPTJ_OWNER_EMAIL: email, GPTJ_OWNER_PASSWORD: password, GPTJ_OWNER_USERNAME: username } = settings;
  if (email === null && password === null) return null;
  const parsed = ownerSchema.safeParse({ email, username, password }, { error: issueText });
  if (parsed.success) {
    if (!isCommonPassword(parsed.data.password, parsed.data)) return parsed.data;
    throw new ConfigError('GPTJ_OWNER_PASSWORD: expected a password that is not among the most common ones');
  }
  const faults = parsed.error.issues.map(
    ({ path, message }) => `GPTJ_OWNER_${path.join('').toUpperCase()}: ${message}`,
  );
  throw new ConfigError(faults.join('; '));
}

/** All three settings or none. */
function parseStripe(settings: Settings): StripeConfig | null {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret } = settings;
  if (secretKey === null && webhookSecret === null) return null;
  if (secretKey === null)
    throw new ConfigError('STRIPE_SECRET_KEY: expected a key sk_… or rk_… beside STRIPE_WEBHOOK_SECRET, got none');
  if (webhookSecret === null)
    throw new ConfigError('STRIPE_WEBHOOK_SECRET: expected the secret whsec_… of the endpoint, got none');
  const returnUrl = settings.BILLING_RETURN_URL;
  if (returnUrl === null)
    throw new ConfigError(
      'BILLING_RETURN_URL: expected the http(s) address that Stripe returns customers to, got none',
    );
  return { secretKey, webhookSecret, returnUrl };
}
