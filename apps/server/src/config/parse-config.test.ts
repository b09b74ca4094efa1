import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../config-error.ts';
import { parseConfig } from './parse-config.ts';

test('uses defaults for absent and empty variables', () => {
  const config = parseConfig({ PORT: '', GPTJ_MODEL: ' ' });
  assert.deepEqual(
    [config.host, config.port, config.dataDir, config.modelPath, config.apiToken],
    ['127.0.0.1', 8080, resolve('data'), null, null],
  );
});

test('options override the environment', () => {
  const config = parseConfig({ PORT: '9000', HOST: '::1', DRAIN_TIMEOUT_SECONDS: '5' }, { port: 0, drainTimeoutMs: 1 });
  assert.deepEqual([config.port, config.host, config.drainTimeoutMs], [0, '::1', 1]);
  assert.equal(parseConfig({ DRAIN_TIMEOUT_SECONDS: '5' }).drainTimeoutMs, 5000);
});

test('refuses an invalid value and names the variable, without repeating a token', () => {
  for (const port of ['x', '-1', '65536', '80.5', '0x50']) {
    assert.throws(
      () => parseConfig({ PORT: port }),
      (error) => error instanceof ConfigError && /^PORT: expected an integer from 0 to 65535/.test(error.message),
    );
  }
  assert.throws(
    () => parseConfig({ GPTJ_API_TOKEN: 'a secret' }),
    (error) => error instanceof ConfigError && /GPTJ_API_TOKEN/.test(error.message) && !/a secret/.test(error.message),
  );
});

test('refuses incomplete Stripe settings without repeating secrets', () => {
  const whole = {
    STRIPE_SECRET_KEY: 'sk_test_0123456789',
    STRIPE_WEBHOOK_SECRET: 'whsec_0123456789',
    BILLING_RETURN_URL: 'https://example.org/billing',
  };
  assert.equal(parseConfig({ BILLING_RETURN_URL: whole.BILLING_RETURN_URL }).stripe, null);
  assert.equal(parseConfig(whole).stripe?.returnUrl, whole.BILLING_RETURN_URL);
  for (const [name, value] of [
    ['STRIPE_SECRET_KEY', ''],
    ['STRIPE_SECRET_KEY', 'whsec_0123456789'],
    ['STRIPE_WEBHOOK_SECRET', ''],
    ['STRIPE_WEBHOOK_SECRET', 'sk_test_0123456789'],
    ['BILLING_RETURN_URL', ''],
    ['BILLING_RETURN_URL', 'javascript:alert(1)'],
  ] as const) {
    assert.throws(
      () => parseConfig({ ...whole, [name]: value }),
      (error) =>
        error instanceof ConfigError && error.message.startsWith(name) && !error.message.includes('0123456789'),
    );
  }
});

test('refuses open plans beside a file of plans or a payment provider', () => {
  assert.equal(parseConfig({ PLANS: 'open' }).plansKind, 'open');
  assert.throws(
    () => parseConfig({ PLANS: 'open', PLANS_FILE: 'x.json' }),
    /^ConfigError: PLANS: .* beside PLANS_FILE/,
  );
});

test('parses the owner and mail settings, refuses incomplete ones and does not repeat secrets', () => {
  const { accounts } = parseConfig({});
  assert.deepEqual(accounts, {
    owner: null,
    registration: 'open',
    smtpUrl: null,
    mailFrom: 'gptj-cloud <noreply@localhost>',
    publicUrl: null,
    requireVerifiedEmail: false,
    confirmationMs: 900_000,
    providers: [],
  });
  const owner = { GPTJ_OWNER_EMAIL: 'Percy@Example.com', GPTJ_OWNER_PASSWORD: 'Ozymandias1818' };
  assert.deepEqual(parseConfig(owner).accounts.owner, {
    email: 'percy@example.com',
    username: 'owner',
    password: 'Ozymandias1818',
  });
  const mail = parseConfig({ SMTP_URL: 'smtps://u:p@mail:465', PUBLIC_URL: 'https://gptj.example.com/' }).accounts;
  assert.deepEqual([mail.requireVerifiedEmail, mail.publicUrl], [true, 'https://gptj.example.com']);
  const wrong: readonly (readonly [settings: Record<string, string>, message: RegExp])[] = [
    [{ GPTJ_OWNER_EMAIL: 'a@b.c' }, /GPTJ_OWNER_PASSWORD/],
    [{ ...owner, GPTJ_OWNER_PASSWORD: 'hunter2' }, /GPTJ_OWNER_PASSWORD: expected/],
    [{ ...owner, GPTJ_OWNER_PASSWORD: 'Percy2024' }, /GPTJ_OWNER_PASSWORD: expected a password that is not among/],
    [{ ...owner, GPTJ_OWNER_USERNAME: 'a b' }, /GPTJ_OWNER_USERNAME: expected 3 to 24/],
    [{ REGISTRATION: 'maybe' }, /^REGISTRATION: expected open, invited, closed, got "maybe"/],
    [{ REQUIRE_VERIFIED_EMAIL: 'yes' }, /^REQUIRE_VERIFIED_EMAIL/],
    [{ SMTP_URL: 'http://u:hunter2@mail' }, /^SMTP_URL/],
    [{ PUBLIC_URL: 'https://example.com/path' }, /^PUBLIC_URL/],
    [{ PUBLIC_URL: 'javascript:alert(1)' }, /^PUBLIC_URL/],
  ];
  for (const [settings, message] of wrong) {
    assert.throws(
      () => parseConfig(settings),
      (error) =>
        error instanceof ConfigError && message.test(error.message) && !/hunter2|Percy2024/.test(error.message),
      JSON.stringify(settings),
    );
  }
});

test('parses operations settings and refuses invalid ones and names the variable', () => {
  const parsed = parseConfig({
    DATABASE_URL: 'postgres://u:p@db/gptj',
    TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    CORS_ORIGINS: 'https://app.example.org,http://localhost:5173',
    LOG_LEVEL: 'warn',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b',
  });
  assert.deepEqual(parsed.trustedProxies, ['10.0.0.0/8', '::1']);
  assert.deepEqual(parsed.corsOrigins, ['https://app.example.org', 'http://localhost:5173']);
  assert.deepEqual(parsed.otlpHeaders, { 'x-key': 'a b' });
  assert.deepEqual([parsed.logLevel, parsed.hstsSeconds, parsed.metricsToken], ['warn', 0, null]);
  const refused: readonly (readonly [name: string, value: string])[] = [
    ['DATABASE_URL', 'mysql://u:hunter2@db/x'],
    ['TRUSTED_PROXIES', 'proxy.example.org'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://app.example.org/'],
    ['LOG_LEVEL', 'loud'],
    ['METRICS_TOKEN', 'hunter2'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x-key=%FF'],
  ];
  for (const [name, value] of refused) {
    assert.throws(
      () => parseConfig({ [name]: value }),
      (error) =>
        error instanceof ConfigError && error.message.startsWith(`${name}: `) && !/hunter2/.test(error.message),
      `${name}=${value}`,
    );
  }
});

test('refuses incomplete OAuth providers and addresses without TLS, without repeating secrets', () => {
  const corp = {
    OAUTH_PROVIDERS: 'github, my-corp',
    OAUTH_GITHUB_CLIENT_ID: 'id',
    OAUTH_GITHUB_CLIENT_SECRET: 'hunter2',
    OAUTH_MY_CORP_URL: 'https://login.example.com/realms/staff',
    OAUTH_MY_CORP_CLIENT_ID: 'id',
    OAUTH_MY_CORP_CLIENT_SECRET: 'hunter2',
  };
  const account = { clientId: 'id', clientSecret: 'hunter2' };
  assert.deepEqual(parseConfig(corp).accounts.providers, [
    { name: 'github', kind: 'github', url: 'https://github.com', ...account },
    { name: 'my-corp', kind: 'oidc', url: 'https://login.example.com/realms/staff', ...account },
  ]);
  const local = parseConfig({ ...corp, OAUTH_MY_CORP_URL: 'http://127.0.0.1:5556' }).accounts.providers;
  assert.equal(local[1]?.url, 'http://127.0.0.1:5556/');
  const wrong: readonly (readonly [settings: Record<string, string>, message: RegExp])[] = [
    [{ OAUTH_PROVIDERS: 'My Corp' }, /^OAUTH_PROVIDERS: expected names/],
    [{ OAUTH_PROVIDERS: 'github,github' }, /^OAUTH_PROVIDERS: expected each name once, got github again/],
    [{ OAUTH_PROVIDERS: 'constructor' }, /^OAUTH_CONSTRUCTOR_URL/],
    [{ OAUTH_GITHUB_CLIENT_ID: '' }, /^OAUTH_GITHUB_CLIENT_ID: expected the value that the provider issued/],
    [{ OAUTH_MY_CORP_CLIENT_SECRET: '' }, /^OAUTH_MY_CORP_CLIENT_SECRET/],
    [{ OAUTH_MY_CORP_URL: '' }, /^OAUTH_MY_CORP_URL: expected the https:/],
    ...['http://login.example.com', 'http://127.0.0.1.evil.example', 'javascript:alert(1)', 'https://u:hunter2@x/'].map(
      (url): [Record<string, string>, RegExp] => [{ OAUTH_MY_CORP_URL: url }, /^OAUTH_MY_CORP_URL/],
    ),
  ];
  for (const [settings, message] of wrong) {
    assert.throws(
      () => parseConfig({ ...corp, ...settings }),
      (error) =>
        error instanceof ConfigError && message.test(error.message) && !/hunter2|Percy2024/.test(error.message),
      JSON.stringify(settings),
    );
  }
});

test('lists every invalid variable in one error', () => {
  assert.throws(
    () => parseConfig({ PORT: 'x', LOG_LEVEL: 'loud' }),
    (error) => error instanceof ConfigError && /^PORT: expected .*; LOG_LEVEL: expected /.test(error.message),
  );
});

test('checks an option like its variable', () => {
  for (const options of [{ port: 70_000 }, { apiToken: 'short' }, { databaseUrl: 'mysql://db' }]) {
    assert.throws(() => parseConfig({}, options), ConfigError, JSON.stringify(options));
  }
});
