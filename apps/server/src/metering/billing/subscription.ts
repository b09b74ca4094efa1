/** A plan that is paid through a provider. An ended subscription stays ended; a new one has a new id. */
export interface Subscription {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly userId: string;
  readonly planId: string;
}
