/** Limits on what clients make the server work and hold. A client is a user, or an address before authentication. */
export interface LoadLimits {
  /** Milliseconds of the server's thread that a client may use at once, and in each second on average. */
  readonly workBurstMs: number;
  readonly workMsPerSecond: number;
  /** Refused requests without credentials (sign-in, links) of one address, at once and in each second. */
  readonly attemptsBurst: number;
  readonly attemptsPerSecond: number;
  /** Requests under way. */
  readonly requests: number;
  readonly requestsPerClient: number;
  readonly requestsPerAddress: number;
  readonly streams: number;
  readonly streamsPerClient: number;
  /** Bytes of bodies received and replies not yet read. */
  readonly bytes: number;
  readonly bytesPerClient: number;
  /** A body or a reply that moves more slowly is aborted. 0: none is. */
  readonly minBytesPerSecond: number;
}
