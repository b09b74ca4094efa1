/** Every route of the API is requested by a method of the SDK, or has a reason why it is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NewEvaluation, PipelineCloud } from '@gptj-cloud/sdk';
import { apiRoutes } from './api-routes.ts';

const PAGE = 'a page, or an address to which a browser is sent';
const REFUSED = 'refused by the server; the one environment exists for clients of 2022';

const EVALUATION: NewEvaluation = {
  name: 'x',
  hash: 'x',
  model: { adapter: 'x', model: 'x', weights: 'x', type: null, engine: null },
  versions: {},
  seeds: { fewShot: 0, bootstrap: 'x' },
  limit: null,
  selfChecks: [],
  skippedSelfChecks: [],
  tasks: [],
};

const EXCLUDED: Readonly<Record<string, string>> = {
  'GET /v2/auth/set-up': PAGE,
  'GET /v2/auth/verify-email': PAGE,
  'GET /v2/auth/change-email': PAGE,
  'GET /v2/auth/reset-password': PAGE,
  'GET /v2/auth/oauth/{provider}': `${PAGE}: providerAddress`,
  'GET /v2/auth/oauth/{provider}/callback': PAGE,
  'GET /v2/auth/oauth-code': PAGE,
  'GET /v2/auth/signed-in': PAGE,
  'GET /v2/auth/linked': PAGE,
  'POST /v2/pipelines': REFUSED,
  'GET /v2/environments': REFUSED,
  'POST /v2/environments': REFUSED,
  'GET /v2/environments/by-name/{name}': REFUSED,
  'GET /v2/environments/{id}': REFUSED,
  'PATCH /v2/environments/{id}': REFUSED,
  'DELETE /v2/environments/{id}': REFUSED,
  'POST /v2/functions': REFUSED,
  'POST /v2/models': REFUSED,
  'POST /v2/pipeline-files/initiate-multipart-upload': REFUSED,
  'POST /v2/pipeline-files/presigned-url': REFUSED,
  'POST /v2/pipeline-files/finalise-multipart-upload': REFUSED,
  'GET /v2/status': 'for clients of 2022; server.get returns more',
  'POST /v2/billing/stripe-webhook': 'for the payment provider',
};

/** Roots of other APIs, whose clients are the official ones, of documentation and of monitoring. */
const OTHER = /^\w+ \/(?!v2\/|readyz)/;

const bytes = new Uint8Array([1]);
const confirmation = { password: 'p' };
const account = { email: 'e', username: 'u', password: 'p' };

const CALLS: Readonly<Record<string, (api: PipelineCloud) => unknown>> = {
  'POST /v2/runs': (api) => api.generate('x'),
  'GET /v2/runs': (api) => api.listRuns(),
  'POST /v2/runs/check': (api) => api.runs.check('p', ['x', {}]),
  'GET /v2/runs/{id}': (api) => api.getRun('x'),
  'DELETE /v2/runs/{id}': (api) => api.deleteRun('x'),
  'GET /v2/runs/{id}/input': (api) => api.runs.input('x'),
  'GET /v2/events': (api) => api.runs.changes().next(),
  'GET /v2/runs/{id}/events': (api) => api.followRun('x')[Symbol.asyncIterator]().next(),
  'POST /v2/runs/{id}/cancel': (api) => api.cancelRun('x'),
  'GET /v2/admin/models': (api) => api.models.list(),
  'DELETE /v2/admin/models/{name}': (api) => api.models.delete('x'),
  'GET /v2/admin/models/served': (api) => api.models.served(),
  'POST /v2/admin/models/served': (api) => api.models.serve({ model: 'x' }),
  'DELETE /v2/admin/models/served/{name}': (api) => api.models.stopServing('x'),
  'POST /v2/admin/models/pulls': (api) => api.models.pull({ from: 'x' }),
  'GET /v2/admin/models/pulls': (api) => api.models.pulls(),
  'GET /v2/admin/models/pulls/{id}': (api) => api.models.getPull('x'),
  'GET /v2/admin/models/pulls/{id}/events': (api) => api.models.followPull('x').next(),
  'POST /v2/admin/models/pulls/{id}/cancel': (api) => api.models.cancelPull('x'),
  'POST /v2/tokenize': (api) => api.text.tokenize('x'),
  'POST /v2/detokenize': (api) => api.text.detokenize([1]),
  'POST /v2/files': (api) => api.files.upload('x', bytes),
  'GET /v2/files/{id}': (api) => api.files.get('x'),
  'DELETE /v2/files/{id}': (api) => api.deleteFile('x'),
  'POST /v2/data': (api) => api.data.create('x', bytes),
  'GET /v2/data/{id}': (api) => api.data.get('x'),
  'DELETE /v2/data/{id}': (api) => api.deleteData('x'),
  'GET /v2/pipelines': (api) => api.pipelines.list(),
  'GET /v2/pipelines/{id}': (api) => api.pipelines.get('x'),
  'POST /v2/pipeline-tags': (api) => api.tags.create({ name: 'a:b', pipeline: 'x' }),
  'GET /v2/pipeline-tags': (api) => api.tags.list(),
  'GET /v2/pipeline-tags/by-name/{name}': (api) => api.tags.getByName('x'),
  'PATCH /v2/pipeline-tags/{id}': (api) => api.tags.move('x', 'y'),
  'DELETE /v2/pipeline-tags/{id}': (api) => api.tags.delete('x'),
  'POST /v2/presets': (api) => api.presets.create({ name: 'x', parameters: {} }),
  'GET /v2/presets': (api) => api.presets.list(),
  'GET /v2/presets/{id}': (api) => api.presets.get('x'),
  'PATCH /v2/presets/{id}': (api) => api.presets.change('x', { name: 'y' }),
  'DELETE /v2/presets/{id}': (api) => api.presets.delete('x'),
  'POST /v2/evaluations': (api) => api.evaluations.create(EVALUATION),
  'GET /v2/evaluations': (api) => api.evaluations.list(),
  'GET /v2/evaluations/{id}': (api) => api.evaluations.get('x'),
  'DELETE /v2/evaluations/{id}': (api) => api.evaluations.delete('x'),
  'POST /v2/evaluations/{id}/documents': (api) => api.evaluations.addDocuments('x', 0, []),
  'GET /v2/evaluations/{id}/documents': (api) => api.evaluations.documents('x'),
  'GET /v2/evaluations/{id}/comparison': (api) => api.evaluations.compare('x', 'y'),
  'GET /v2/evaluations/{id}/comparison/documents': (api) => api.evaluations.changes('x', 'y'),
  'POST /v2/webhooks': (api) => api.webhooks.create({ url: 'http://x' }),
  'GET /v2/webhooks': (api) => api.webhooks.list(),
  'GET /v2/webhooks/{id}': (api) => api.webhooks.get('x'),
  'PATCH /v2/webhooks/{id}': (api) => api.webhooks.change('x', { isEnabled: true }),
  'DELETE /v2/webhooks/{id}': (api) => api.webhooks.delete('x'),
  'GET /v2/webhooks/{id}/deliveries': (api) => api.webhooks.deliveries('x'),
  'POST /v2/webhooks/{id}/deliveries/{delivery}/replay': (api) => api.webhooks.replay('x', 'y'),
  'POST /v2/webhooks/{id}/test': (api) => api.webhooks.test('x'),
  'POST /v2/webhooks/{id}/rotate-secret': (api) => api.webhooks.rotateSecret('x'),
  'GET /v2/metrics/runs': (api) => api.metrics.runs(),
  'GET /v2/metrics/pipelines': (api) => api.metrics.pipelines(),
  'GET /v2/metrics/compute': (api) => api.metrics.compute(),
  'GET /v2/metrics/latency': (api) => api.metrics.latency(),
  'GET /v2/metrics/errors': (api) => api.metrics.errors(),
  'GET /v2/metrics/hardware': (api) => api.metrics.hardware(),
  'GET /v2/plans': (api) => api.plans.list(),
  'POST /v2/plans/reload': (api) => api.plans.reload(),
  'POST /v2/plan': (api) => api.plans.change('x'),
  'GET /v2/usage': (api) => api.usage.get(),
  'GET /v2/usage.csv': (api) => api.usage.csv(),
  'GET /v2/storage': (api) => api.usage.storage(),
  'GET /v2/invoice-preview': (api) => api.usage.previewInvoice(),
  'GET /v2/limits': (api) => api.limits.get(),
  'POST /v2/auth/register': (api) => api.auth.register(account),
  'POST /v2/auth/set-up': (api) => api.auth.setUp({ ...account, token: 't' }),
  'POST /v2/auth/verify-email': (api) => api.auth.verifyEmail({ token: 't' }),
  'POST /v2/auth/verify-email/send': (api) => api.auth.sendVerification(),
  'POST /v2/auth/change-email': (api) => api.auth.confirmEmail({ token: 't' }),
  'POST /v2/auth/forgot-password': (api) => api.auth.forgotPassword('e'),
  'POST /v2/auth/reset-password': (api) => api.auth.resetPassword({ token: 't', password: 'p' }),
  'POST /v2/auth/login': (api) => api.auth.login({ login: 'u', password: 'p' }),
  'GET /v2/auth/session': (api) => api.auth.session(),
  'POST /v2/auth/logout': (api) => api.auth.logout(),
  'GET /v2/auth/sessions': (api) => api.auth.sessions(),
  'DELETE /v2/auth/sessions/{id}': (api) => api.auth.endSession('x'),
  'POST /v2/auth/email': (api) => api.auth.changeEmail('e', confirmation),
  'POST /v2/auth/password': (api) => api.auth.changePassword({ currentPassword: 'p', newPassword: 'q' }),
  'POST /v2/auth/confirm': (api) => api.auth.confirm(confirmation),
  'POST /v2/auth/delete-account': (api) => api.auth.deleteAccount(confirmation),
  'POST /v2/auth/two-factor': (api) => api.auth.beginTwoFactor('p'),
  'POST /v2/auth/two-factor/confirm': (api) => api.auth.confirmTwoFactor('1'),
  'GET /v2/auth/two-factor/recovery-codes': (api) => api.auth.recoveryCodesLeft(),
  'POST /v2/auth/two-factor/recovery-codes': (api) => api.auth.renewRecoveryCodes(confirmation),
  'POST /v2/auth/two-factor/disable': (api) => api.auth.endTwoFactor(confirmation),
  'GET /v2/auth/oauth': (api) => api.auth.providers(),
  'POST /v2/auth/oauth-code': (api) => api.auth.sendProviderCode({ token: 't', code: '1' }),
  'GET /v2/auth/identities': (api) => api.auth.identities(),
  'POST /v2/auth/identities': (api) => api.auth.linkIdentity('x', confirmation),
  'DELETE /v2/auth/identities/{id}': (api) => api.auth.unlinkIdentity('x'),
  'GET /v2/users/me': (api) => api.users.me(),
  'PATCH /v2/users/me': (api) => api.users.changeProfile({ username: 'x' }),
  'GET /v2/users': (api) => api.users.list(),
  'GET /v2/users/{id}': (api) => api.users.get('x'),
  'PATCH /v2/users/{id}': (api) => api.users.change('x', { disabled: true }),
  'DELETE /v2/users/{id}': (api) => api.users.delete('x'),
  'GET /v2/audit-log': (api) => api.admin.auditLog(),
  'POST /v2/tokens': (api) => api.tokens.create({}),
  'GET /v2/tokens': (api) => api.tokens.list(),
  'GET /v2/tokens/{id}': (api) => api.tokens.get('x'),
  'PATCH /v2/tokens/{id}': (api) => api.tokens.change('x', { name: 'y' }),
  'DELETE /v2/tokens/{id}': (api) => api.tokens.delete('x'),
  'POST /v2/tokens/{id}/rotate': (api) => api.tokens.rotate('x'),
  'POST /v2/projects': (api) => api.projects.create('x'),
  'GET /v2/projects': (api) => api.projects.list(),
  'GET /v2/projects/{id}': (api) => api.projects.get('x'),
  'PATCH /v2/projects/{id}': (api) => api.projects.rename('x', 'y'),
  'DELETE /v2/projects/{id}': (api) => api.projects.delete('x'),
  'GET /v2/projects/{id}/audit-log': (api) => api.projects.auditLog('x'),
  'GET /v2/projects/{id}/members': (api) => api.projects.members('x'),
  'POST /v2/projects/{id}/members': (api) => api.projects.invite('x', { username: 'y' }),
  'DELETE /v2/projects/{id}/members/{user}': (api) => api.projects.removeMember('x', 'y'),
  'GET /v2/projects/{id}/invitations': (api) => api.projects.invitations('x'),
  'POST /v2/projects/{id}/invitations': (api) => api.projects.invite('x', { email: 'e' }),
  'DELETE /v2/projects/{id}/invitations/{invitation}': (api) => api.projects.withdrawInvitation('x', 'y'),
  'GET /v2/invitations': (api) => api.invitations.list(),
  'POST /v2/invitations/{id}/accept': (api) => api.invitations.accept('x'),
  'POST /v2/invitations/{id}/decline': (api) => api.invitations.decline('x'),
  'GET /v2/engine': (api) => api.engine.get(),
  'GET /v2/server': (api) => api.server.get(),
  'GET /readyz': (api) => api.server.isReady(),
  'GET /v2/admin/backup': (api) => api.admin.backup().next(),
  'GET /v2/admin/overview': (api) => api.admin.overview(),
  'GET /v2/admin/runs': (api) => api.admin.queue(),
  'POST /v2/admin/runs/{id}/cancel': (api) => api.admin.cancelRun('x'),
  'PATCH /v2/admin/maintenance': (api) => api.admin.setMaintenance({ isOn: false }),
};

test('every route has a method or a reason, and both tables name no other', async () => {
  const routes = await apiRoutes();
  const known = (route: string): boolean => route in CALLS || route in EXCLUDED || OTHER.test(route);
  assert.deepEqual(
    routes.filter((route) => !known(route)),
    [],
  );
  assert.deepEqual(
    [...Object.keys(CALLS), ...Object.keys(EXCLUDED)].filter((route) => !routes.includes(route)),
    [],
  );
});

test('every method requests its route', async () => {
  for (const [route, call] of Object.entries(CALLS)) {
    const requested: string[] = [];
    const api = new PipelineCloud({
      token: 't',
      url: 'http://host:1',
      maxRetries: 0,
      fetch: async (input, init) => {
        requested.push(`${init?.method ?? 'GET'} ${new URL(String(input)).pathname}`);
        throw new Error('sent');
      },
    });
    await Promise.resolve(call(api)).catch(() => undefined);
    const pattern = route.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+');
    assert.match(requested[0] ?? 'nothing', new RegExp(`^${pattern}$`), route);
  }
});
