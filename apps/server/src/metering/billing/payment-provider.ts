import type { Plan } from '../plans/plan.ts';
import type { Subscription } from './subscription.ts';

/** Somebody wants another plan. */
export interface PlanWish {
  readonly userId: string;
  readonly email: string;
  readonly plan: Plan;
  /** Their running subscription with this provider, if any. */
  readonly subscription: Subscription | null;
}

/**
 * What became of a wish: it waits for an owner's approval, has to be paid for at an address, or the provider was told
 * and will report the change.
 */
export type WishOutcome =
  | { readonly kind: 'approval' }
  | { readonly kind: 'checkout'; readonly url: string }
  | { readonly kind: 'reported_later' };

/** What a provider reports of a subscription. */
export interface SubscriptionReport {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly userId: string;
  readonly status: 'active' | 'ended';
  /** The provider's name of what is paid for. */
  readonly priceId: string;
}

export interface PaymentEvent {
  /** The same however often it is delivered. */
  readonly id: string;
  readonly type: string;
  readonly at: Date;
  /** Null: nothing for us. */
  readonly report: SubscriptionReport | null;
}

/** Whoever takes the money. The manual one is an owner of the server. */
export interface PaymentProvider {
  readonly name: string;
  /** The plan that a price pays for. */
  paysFor(priceId: string, plans: readonly Plan[]): Plan | null;
  /** Throws `payment_failed`. */
  wish(wish: PlanWish): Promise<WishOutcome>;
  /** What a webhook says, once it is proved to come from the provider. Throws `webhook_refused`. */
  readEvent(payload: string, signature: string): Promise<PaymentEvent>;
}
