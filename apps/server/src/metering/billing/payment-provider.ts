import type { Plan } from '../plans/plan.ts';
import type { Subscription } from './subscription.ts';

/** A user's request to change to another plan. */
export interface PlanChangeRequest {
  readonly userId: string;
  readonly email: string;
  readonly plan: Plan;
  /** The user's active subscription with this provider, or null. */
  readonly subscription: Subscription | null;
}

/**
 * The outcome of a plan change request: it waits for an owner's approval, or for payment at a checkout address, or the
 * provider has accepted it and will report the change.
 */
export type PlanChangeOutcome =
  | { readonly kind: 'approval' }
  | { readonly kind: 'checkout'; readonly url: string }
  | { readonly kind: 'reported_later' };

/** A provider's report on a subscription. */
export interface SubscriptionReport {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly userId: string;
  readonly status: 'active' | 'ended';
  /** The provider's id of the price that the subscription pays. */
  readonly priceId: string;
}

export interface PaymentEvent {
  /** The same for every delivery of the event. */
  readonly id: string;
  readonly type: string;
  readonly at: Date;
  /** Null: the event does not concern this server. */
  readonly report: SubscriptionReport | null;
}

/** A payment provider. With the manual provider, owners of the server approve each change. */
export interface PaymentProvider {
  readonly name: string;
  /** The plan that is sold at a price, or null. */
  planForPrice(priceId: string, plans: readonly Plan[]): Plan | null;
  /** Ask the provider for a plan change. Throws `payment_failed`. */
  requestPlanChange(request: PlanChangeRequest): Promise<PlanChangeOutcome>;
  /** Verify a webhook's signature and read its event. Throws `webhook_refused`. */
  readEvent(payload: string, signature: string): Promise<PaymentEvent>;
}
