import type { LoadLimits } from '../http/load/load-limits.ts';

/** Limits on load that no test meets. */
export const NO_LIMITS: LoadLimits = {
  workBurstMs: Number.POSITIVE_INFINITY,
  workMsPerSecond: Number.POSITIVE_INFINITY,
  attemptsBurst: Number.POSITIVE_INFINITY,
  attemptsPerSecond: Number.POSITIVE_INFINITY,
  requests: Number.POSITIVE_INFINITY,
  requestsPerClient: Number.POSITIVE_INFINITY,
  requestsPerAddress: Number.POSITIVE_INFINITY,
  streams: Number.POSITIVE_INFINITY,
  streamsPerClient: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  bytesPerClient: Number.POSITIVE_INFINITY,
  minBytesPerSecond: 0,
};
