/** A plan that is paid for through a provider. Once ended it stays ended: a new one has a new id. */
export interface Subscription {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly userId: string;
  readonly planId: string;
}
