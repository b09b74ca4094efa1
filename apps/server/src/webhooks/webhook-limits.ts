/** Limits of webhooks; `config/settings.ts` has their defaults. */
export interface WebhookLimits {
  /** Time to resolve the name, connect and agree on TLS. */
  readonly connectTimeoutMs: number;
  /** Time until the status of the reply. */
  readonly timeoutMs: number;
  /** Messages that this server sends at the same time. */
  readonly concurrency: number;
  readonly concurrencyPerProject: number;
  /** To one host and port, over all projects. */
  readonly concurrencyPerHost: number;
  /** Failures in a row that open the breaker of a receiver. */
  readonly breakerFailures: number;
  /** The first pause of an open breaker; it doubles with each failed probe. */
  readonly breakerPauseMs: number;
  readonly breakerMaxPauseMs: number;
  /** A webhook is disabled after failing for this long … 0: never. */
  readonly disableAfterMs: number;
  /** … with at least this many failed attempts. */
  readonly disableAfterAttempts: number;
  /** Waiting deliveries of one webhook; further ones are stored as failed. */
  readonly maxPending: number;
  /** A delivery that waits longer has failed. */
  readonly maxAgeMs: number;
  /** Ended deliveries of one webhook that are kept. */
  readonly maxKept: number;
  readonly replaysPerHour: number;
  readonly projectReplaysPerHour: number;
}
