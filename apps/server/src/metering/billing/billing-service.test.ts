import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { eq } from 'drizzle-orm';
import Stripe from 'stripe';
import { auditLog } from '../../audit/audit-tables.ts';
import { ConfigError } from '../../config-error.ts';
import { users } from '../../identity/identity-tables.ts';
import type { Principal } from '../../identity/principal.ts';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../../identity/users/first-user.ts';
import type { Database, Store } from '../../store/db.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { refusalOf } from '../../testing/admissions.ts';
import { bookOf, planOf } from '../../testing/plans.ts';
import { openTestStore } from '../../testing/test-store.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import { type BillingService, createBillingService } from './billing-service.ts';
import { billingEvents, planRequests, subscriptions } from './billing-tables.ts';
import { MANUAL_PROVIDER } from './manual-provider.ts';
import type { PaymentProvider } from './payment-provider.ts';
import { openStripeProvider } from './stripe-provider.ts';

const SECRET = 'whsec_0123456789abcdef';
const USER = 'user_11111111111111111111111111111111';
const CALLER = { userId: null, apiKeyId: null, address: '', requestId: 'req-1' };
/** Time of the first event. */
const START = 1767322800_000;

const member: Principal = {
  userId: USER,
  projectId: DEFAULT_PROJECT_ID,
  apiKeyId: null,
  role: 'member',
  planId: 'free',
  scopes: ['run', 'read', 'write', 'admin'],
};
const owner: Principal = { ...member, userId: FIRST_USER_ID, role: 'owner', planId: 'owner' };
const plans = bookOf(
  planOf('free'),
  planOf('developer', { stripePriceId: 'price_developer' }),
  planOf('premium', { stripePriceId: 'price_premium' }),
  planOf('owner', { offered: false }),
);

let store: Store;
let now: number;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(async () => {
  const { db } = store;
  now = START;
  for (const table of [subscriptions, billingEvents, planRequests]) await db.delete(table);
  await db.delete(users).where(eq(users.id, USER));
  const at = new Date(START);
  const row = { email: 'ada@example.org', username: 'ada', role: 'member' as const, planId: 'free' };
  await db.insert(users).values({ id: USER, ...row, createdAt: at, updatedAt: at });
});

const setPlan = async (tx: Database, userId: string, planId: string): Promise<void> => {
  await tx.update(users).set({ planId }).where(eq(users.id, userId));
};
const clock = (): Date => new Date(now);
const serviceWith = (provider: PaymentProvider, book = plans): BillingService =>
  createBillingService({ db: store.db, plans: book, provider, clock, logger: createLogger(() => {}, clock) });
const planNow = async (userId = USER): Promise<string | undefined> =>
  (await store.db.select({ planId: users.planId }).from(users).where(eq(users.id, userId)))[0]?.planId;

test('a plan change request waits for an owner; the approval changes the plan and is in the audit log', async () => {
  const billing = serviceWith(MANUAL_PROVIDER);
  assert.deepEqual(await billing.change(member, { plan_id: 'premium' }, CALLER), {
    status: 'requested',
    user_id: USER,
    plan_id: 'premium',
    checkout_url: null,
  });
  assert.equal(await planNow(), 'free');
  const { requests, plans: offered } = await billing.list(member);
  assert.deepEqual(requests, [{ user_id: USER, plan_id: 'premium', requested_at: START / 1000 }]);
  assert.deepEqual(
    offered.map(({ id }) => id),
    ['free', 'developer', 'premium'],
  );
  assert.deepEqual((await billing.list({ ...member, userId: 'user_other' })).requests, []);
  assert.equal((await billing.list(owner)).requests.length, 1);
  const granted = await billing.change(
    owner,
    { plan_id: 'premium', user_id: USER },
    { ...CALLER, userId: FIRST_USER_ID },
  );
  assert.equal(granted.status, 'changed');
  assert.equal(await planNow(), 'premium');
  assert.deepEqual((await billing.list(owner)).requests, []);
  const lines = await store.db.select().from(auditLog).where(eq(auditLog.subject, USER));
  assert.deepEqual([lines.at(-1)?.action, lines.at(-1)?.userId], ['user.plan', FIRST_USER_ID]);
});

test('an owner names the user of a plan by username or e-mail address, and the plan by id or name', async () => {
  const billing = serviceWith(MANUAL_PROVIDER);
  await store.db
    .update(users)
    .set({ username: 'Percy', email: 'percy@example.com', planId: 'free' })
    .where(eq(users.id, USER));
  for (const [named, plan] of [
    ['percy', 'Developer'],
    ['Percy@Example.com', 'premium'],
  ] as const) {
    const { user_id: changed } = await billing.change(owner, { plan_id: plan, user_id: named }, CALLER);
    assert.deepEqual([changed, await planNow()], [USER, plan.toLowerCase()]);
  }
  assert.equal(
    (await refusalOf(billing.change(member, { plan_id: 'free', user_id: 'owner' }, CALLER))).code,
    'owner_required',
  );
});

test('a member cannot set plans: not of others, not hidden ones, not by a token without admin', async () => {
  const billing = serviceWith(MANUAL_PROVIDER);
  const others = await refusalOf(billing.change(member, { plan_id: 'free', user_id: FIRST_USER_ID }, CALLER));
  assert.deepEqual([others.code, others.status], ['owner_required', 403]);
  const hidden = await refusalOf(billing.change(member, { plan_id: 'owner' }, CALLER));
  assert.deepEqual([hidden.code, hidden.status], ['plan_unknown', 404]);
  const weak: Principal = { ...owner, scopes: ['write'] };
  assert.equal(
    (await refusalOf(billing.change(weak, { plan_id: 'free', user_id: USER }, CALLER))).code,
    'owner_required',
  );
  assert.equal((await refusalOf(billing.reload(member))).code, 'owner_required');
  assert.equal((await refusalOf(billing.change(owner, { plan_id: 'free', user_id: 'x' }, CALLER))).code, 'not_found');
  const event = await refusalOf(billing.handleEvent('{}', '', CALLER));
  assert.equal(event.code, 'webhook_refused');
  // There is no signing secret to check.
  assert.match(String(event.details.remedy), /^set one up/);
});

test('reload refuses an invalid plan file with plans_refused', async () => {
  const book: PlanBook = {
    ...plans,
    reload: async () => {
      throw new ConfigError('PLANS_FILE plans.json: expected JSON, got x');
    },
  };
  const { code, status, message, details } = await refusalOf(serviceWith(MANUAL_PROVIDER, book).reload(owner));
  assert.deepEqual([code, status, message], ['plans_refused', 400, 'PLANS_FILE plans.json: expected JSON, got x']);
  assert.match(String(details.remedy), /^correct the file/);
});

const library = new Stripe('sk_test_not_a_key');

async function eventText(name: string): Promise<string> {
  return await readFile(new URL(`../../../fixtures/stripe/${name}.json`, import.meta.url), 'utf8');
}

/** A payload as Stripe delivers it, created at the time of the clock. */
async function deliver(billing: BillingService, payload: string, secret = SECRET, madeAt = now): Promise<void> {
  const timestamp = Math.floor(madeAt / 1000);
  const signature = await library.webhooks.generateTestHeaderStringAsync({ payload, secret, timestamp });
  await billing.handleEvent(payload, signature, CALLER);
}

const openStripe = (api?: { host: string; port: number; protocol: 'http' }) =>
  openStripeProvider({
    secretKey: 'sk_test_0123456789',
    webhookSecret: SECRET,
    returnUrl: 'https://example.org/billing',
    clock,
    ...(api === undefined ? {} : { api }),
  });

test('a subscription grants its plan from the first payment to its end', async () => {
  const billing = serviceWith(await openStripe());
  const steps = [
    ['subscription-incomplete', 'free'],
    ['subscription-active', 'developer'],
    ['subscription-elsewhere', 'developer'],
    ['subscription-premium', 'premium'],
    ['subscription-deleted', 'free'],
  ] as const;
  for (const [name, plan] of steps) {
    await deliver(billing, await eventText(name));
    assert.equal(await planNow(), plan, name);
  }
});

test('applies an event once; late and repeated events do not restore an ended plan', async () => {
  const billing = serviceWith(await openStripe());
  const active = await eventText('subscription-active');
  await deliver(billing, active);
  await setPlan(store.db, USER, 'free');
  await Promise.all([deliver(billing, active), deliver(billing, active)]);
  assert.equal(await planNow(), 'free');
  await deliver(billing, await eventText('subscription-premium'));
  // Older than the stored state, and not recorded before.
  await deliver(billing, active.replace('evt_1R0c0rded', 'evt_late_'));
  assert.equal(await planNow(), 'premium');
  await deliver(billing, await eventText('subscription-deleted'));
  const revived = (await eventText('subscription-premium')).replace('evt_1R0c0rded', 'evt_later_');
  await deliver(billing, revived.replace('"created": 1768000000', '"created": 1790000000'));
  assert.equal(await planNow(), 'free');
});

test('the end of a subscription revokes only the plan of that subscription', async () => {
  const billing = serviceWith(await openStripe());
  await deliver(billing, await eventText('subscription-premium'));
  await setPlan(store.db, USER, 'owner');
  await deliver(billing, await eventText('subscription-deleted'));
  assert.equal(await planNow(), 'owner');
});

test('of two subscriptions, the active one keeps its plan', async () => {
  const billing = serviceWith(await openStripe());
  await deliver(billing, await eventText('subscription-active'));
  const second = (await eventText('subscription-premium'))
    .replaceAll('sub_1R0c0rdedDeveloper', 'sub_second')
    .replace('evt_1R0c0rded', 'evt_second_');
  await deliver(billing, second);
  assert.equal(await planNow(), 'premium');
  const ended = (await eventText('subscription-deleted')).replaceAll('sub_1R0c0rdedDeveloper', 'sub_second');
  await deliver(billing, ended);
  assert.equal(await planNow(), 'developer');
});

test('refuses events with a wrong or an old signature', async () => {
  const billing = serviceWith(await openStripe());
  const payload = await eventText('subscription-active');
  const changed = payload.replace('price_developer', 'price_premium');
  const timestamp = Math.floor(now / 1000);
  const good = await library.webhooks.generateTestHeaderStringAsync({ payload, secret: SECRET, timestamp });
  const refusals = [
    billing.handleEvent(payload, '', CALLER),
    billing.handleEvent(payload, 'v1=00', CALLER),
    billing.handleEvent(changed, good, CALLER),
    deliver(billing, payload, 'whsec_somebody_elses'),
    deliver(billing, payload, SECRET, now - 301_000),
    deliver(billing, 'no JSON'),
  ];
  for (const refused of refusals) {
    const { code, status } = await refusalOf(refused);
    assert.deepEqual([code, status], ['webhook_refused', 400]);
  }
  assert.equal(await planNow(), 'free');
  assert.equal((await store.db.select().from(billingEvents)).length, 0);
  await deliver(billing, payload, SECRET, now - 299_000);
  assert.equal(await planNow(), 'developer');
});

test('refuses an event with an unknown price, and applies it when it is sent again', async () => {
  const payload = (await eventText('subscription-active')).replace('price_developer', 'price_new');
  const stripe = await openStripe();
  const refused = await refusalOf(deliver(serviceWith(stripe), payload));
  assert.match(refused.message, /no plan has the price price_new/);
  const later = bookOf(planOf('free'), planOf('new', { stripePriceId: 'price_new' }));
  const logger = createLogger(() => {}, clock);
  await deliver(createBillingService({ db: store.db, plans: later, provider: stripe, clock, logger }), payload);
  assert.equal(await planNow(), 'new');
});

/** A stand-in for Stripe's API on loopback. */
async function openApi(answer: (path: string) => { readonly status: number; readonly body: unknown }) {
  const requests: { readonly path: string; readonly form: URLSearchParams }[] = [];
  const bodyOf = async (request: IncomingMessage): Promise<string> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return text;
  };
  const server = createServer((request, response) => {
    const path = `${request.method} ${request.url}`;
    void bodyOf(request).then((text) => {
      requests.push({ path, form: new URLSearchParams(text) });
      const { status, body } = answer(path);
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    requests,
    api: { host: '127.0.0.1', port: address.port, protocol: 'http' as const },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

test('the first paid plan starts a checkout, a later one changes the subscription, a free one cancels it', async () => {
  const remote = await openApi((path) => ({
    status: 200,
    body: path.includes('checkout')
      ? { id: 'cs_1', object: 'checkout.session', url: 'https://checkout.stripe.com/c/1' }
      : { id: 'sub_1R0c0rdedDeveloper', object: 'subscription', items: { data: [{ id: 'si_1' }] } },
  }));
  try {
    const billing = serviceWith(await openStripe(remote.api));
    const checkout = await billing.change(member, { plan_id: 'developer' }, CALLER);
    assert.deepEqual([checkout.status, checkout.checkout_url], ['checkout', 'https://checkout.stripe.com/c/1']);
    assert.equal(await planNow(), 'free');
    const form = remote.requests[0]?.form;
    assert.equal(remote.requests[0]?.path, 'POST /v1/checkout/sessions');
    assert.deepEqual(
      ['mode', 'line_items[0][price]', 'customer_email', 'subscription_data[metadata][user_id]'].map((n) =>
        form?.get(n),
      ),
      ['subscription', 'price_developer', 'ada@example.org', USER],
    );
    await deliver(billing, await eventText('subscription-active'));
    assert.equal((await billing.change(member, { plan_id: 'premium' }, CALLER)).status, 'requested');
    const update = remote.requests.at(-1);
    assert.equal(update?.path, 'POST /v1/subscriptions/sub_1R0c0rdedDeveloper');
    assert.deepEqual(
      [update?.form.get('items[0][id]'), update?.form.get('items[0][price]')],
      ['si_1', 'price_premium'],
    );
    await billing.change(member, { plan_id: 'free' }, CALLER);
    assert.equal(remote.requests.at(-1)?.form.get('cancel_at_period_end'), 'true');
    // It lasts until the paid period ends, and longer when the plan is requested again.
    assert.equal(await planNow(), 'developer');
    await billing.change(member, { plan_id: 'developer' }, CALLER);
    assert.equal(remote.requests.at(-1)?.form.get('cancel_at_period_end'), 'false');
  } finally {
    await remote.close();
  }
});

test('reports a refusal of the provider as payment_failed, without its message', async () => {
  const error = { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_0123' };
  const remote = await openApi(() => ({ status: 401, body: { error } }));
  try {
    const billing = serviceWith(await openStripe(remote.api));
    const refused = await refusalOf(billing.change(member, { plan_id: 'developer' }, CALLER));
    assert.deepEqual([refused.code, refused.status], ['payment_failed', 502]);
    assert.doesNotMatch(refused.message, /sk_test/);
  } finally {
    await remote.close();
  }
});
