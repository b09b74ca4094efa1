export interface RunLimits {
  readonly running: number;
  readonly waiting: number;
}

/** Lifetime of leases and intervals of the worker's timers. */
export interface RunTiming {
  /** Default 30 s. */
  readonly leaseMs?: number;
  /** Interval at which a process reports that it is alive, and compares its leases with its executions. Default: a third of their lifetime. */
  readonly heartbeatMs?: number;
  /** Interval at which the store is polled for runs of other processes. Default 5 s; 1 s in a shared store. */
  readonly pollMs?: number;
}
