/**
 * Stripe, through its official library, loaded only when it is set up. A subscription carries the user's id in its
 * metadata, which only the secret key can write; its price names the plan.
 */
import { ApiError } from '@gptj-cloud/protocol';
import type Stripe from 'stripe';
import { z } from 'zod';
import type {
  PaymentEvent,
  PaymentProvider,
  PlanChangeOutcome,
  PlanChangeRequest,
  SubscriptionReport,
} from './payment-provider.ts';

export interface StripeOptions {
  readonly secretKey: string;
  /** Signing secret of this server's endpoint, `whsec_…`. */
  readonly webhookSecret: string;
  /** Address that the checkout returns to. */
  readonly returnUrl: string;
  readonly clock: () => Date;
  /** Address of the API. Default: Stripe's. */
  readonly api?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' };
}

/** Older deliveries are refused: they may be replayed. */
const TOLERANCE_SECONDS = 300;
const TIMEOUT_MS = 20_000;

const subscriptionSchema = z.object({
  id: z.string(),
  customer: z.union([z.string(), z.object({ id: z.string() })]),
  status: z.string(),
  metadata: z.record(z.string(), z.string()).nullish(),
  items: z.object({ data: z.array(z.object({ price: z.object({ id: z.string() }) })).min(1) }),
});

/** Statuses that grant a plan; `past_due` payments are being collected. */
const ACTIVE = new Set(['active', 'trialing', 'past_due']);
const ENDED = new Set(['canceled', 'unpaid', 'incomplete_expired']);

export async function openStripeProvider(options: StripeOptions): Promise<PaymentProvider> {
  const { default: StripeClient } = await import('stripe');
  const stripe = new StripeClient(options.secretKey, { ...options.api, timeout: TIMEOUT_MS, telemetry: false });
  return {
    name: 'stripe',
    planForPrice: (priceId, plans) => plans.find(({ stripePriceId }) => stripePriceId === priceId) ?? null,
    async requestPlanChange(request) {
      try {
        return await applyPlanChange(stripe, request, options.returnUrl);
      } catch (cause) {
        // The library's messages may contain the secret key.
        const reason = cause instanceof StripeClient.errors.StripeError ? cause.type : 'no answer';
        throw new ApiError('payment_failed', { reason }, { cause });
      }
    },
    async readEvent(payload, signature) {
      const receivedAt = options.clock().getTime();
      let event: Stripe.Event;
      try {
        event = await stripe.webhooks.constructEventAsync(
          payload,
          signature,
          options.webhookSecret,
          TOLERANCE_SECONDS,
          undefined,
          receivedAt,
        );
      } catch (cause) {
        const reason =
          cause instanceof StripeClient.errors.StripeSignatureVerificationError
            ? 'its signature is wrong or too old'
            : 'it is not JSON';
        throw new ApiError('webhook_refused', { reason }, { cause });
      }
      return toPaymentEvent(event);
    },
  };
}

async function applyPlanChange(
  stripe: Stripe,
  { userId, email, plan, subscription }: PlanChangeRequest,
  returnUrl: string,
): Promise<PlanChangeOutcome> {
  if (plan.stripePriceId === null) {
    if (subscription === null) return { kind: 'approval' };
    // The paid period is kept until it ends.
    await stripe.subscriptions.update(subscription.subscriptionId, { cancel_at_period_end: true });
    return { kind: 'reported_later' };
  }
  if (subscription !== null) {
    const { items } = await stripe.subscriptions.retrieve(subscription.subscriptionId);
    const item = items.data[0];
    await stripe.subscriptions.update(subscription.subscriptionId, {
      cancel_at_period_end: false,
      items: [item === undefined ? { price: plan.stripePriceId } : { id: item.id, price: plan.stripePriceId }],
    });
    return { kind: 'reported_later' };
  }
  const { url } = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: plan.stripePriceId, quantity: 1 }],
    client_reference_id: userId,
    customer_email: email,
    subscription_data: { metadata: { user_id: userId } },
    success_url: returnUrl,
    cancel_url: returnUrl,
  });
  if (url === null) throw new TypeError('expected the URL of a checkout session, got null');
  return { kind: 'checkout', url };
}

function toPaymentEvent(event: Stripe.Event): PaymentEvent {
  const { id, type } = event;
  return { id, type, at: new Date(event.created * 1000), report: reportOf(event) };
}

function reportOf(event: Stripe.Event): SubscriptionReport | null {
  if (!event.type.startsWith('customer.subscription.')) return null;
  const object: unknown = event.data.object;
  const parsed = subscriptionSchema.safeParse(object);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new ApiError(
      'webhook_refused',
      { reason: `the subscription lacks ${fields}` },
      { remedy: 'check the API version of this endpoint at the payment provider' },
    );
  }
  const { id, customer, status, metadata, items } = parsed.data;
  const userId = metadata?.user_id;
  const priceId = items.data[0]?.price.id;
  const isEnded = event.type === 'customer.subscription.deleted' || ENDED.has(status);
  // Subscriptions to other products of the same Stripe account name no user; incomplete ones are not paid yet.
  if (userId === undefined || priceId === undefined || !(isEnded || ACTIVE.has(status))) return null;
  const customerId = typeof customer === 'string' ? customer : customer.id;
  return { subscriptionId: id, customerId, userId, status: isEnded ? 'ended' : 'active', priceId };
}
