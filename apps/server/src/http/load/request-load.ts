/**
 * What each client makes the server work and hold. A client is the user of a token or session, and before the request is
 * authenticated its network address. Every request pays by the time it takes, refused ones too.
 */
import { createHash } from 'node:crypto';
import { ApiError } from '@gptj-cloud/protocol';
import { addressKey, isLoopback } from '../../network-address.ts';
import type { WorkMeter } from '../../telemetry/work-meter.ts';
import { createClientCounts } from './client-counts.ts';
import type { LoadLimits } from './load-limits.ts';
import { createShareBuckets, type ShareBuckets } from './share-buckets.ts';

/** One request under way. */
export interface RequestLoad extends WorkMeter {
  readonly limits: LoadLimits;
  /**
   * The request is authenticated. An exempt client (an owner of the server, a scraper) is measured and not refused.
   * Throws `work_limited`, `too_many_requests_at_once`.
   */
  identify(client: string, options: { readonly isExempt: boolean }): void;
  /** Hold bytes until the reply has ended. Throws `too_many_bytes_in_flight`; then it holds none of them. */
  hold(bytes: number): void;
  /** Bytes came that are not held: they cost time alone. */
  pass(bytes: number): void;
  /** Hold one stream until the reply has ended; further calls do nothing. Throws `too_many_streams`. */
  holdStream(): void;
  /** Count a request without credentials before its body is looked at. Throws `too_many_attempts`. */
  countAttempt(): void;
  /** The reply has this status: a counted attempt that succeeded is given back. */
  settle(status: number): void;
  /** The reply has ended, or the connection. A second call does nothing. */
  end(): void;
}

export interface Arrival {
  /** Empty when unknown. */
  readonly address: string;
  /** `Authorization` or the session's cookie; undefined without. */
  readonly credential: string | undefined;
  /** A load balancer's question: it pays from a budget of its own, so that other requests of its address do not stop it. */
  readonly isProbe?: boolean;
}

export interface LoadControl {
  /** Throws `work_limited`, `too_many_requests_at_once`, `server_busy`. */
  arrive(arrival: Arrival): RequestLoad;
}

/** Parsing, routing, headers and the line in the log, which happen outside the measured part. */
const FIXED_MS = 0.3;
/** Receiving or sending a MiB outside the measured part. */
const MS_PER_BYTE = 2 / 2 ** 20;
/** Smaller amounts are collected before they are booked. */
const BOOKED_MS = 5;
const RETRY_BUSY_SECONDS = 2;
/** An owner of the server gets this many turns for one of another client, where both wait. */
const EXEMPT_SHARE = 4;
/** Credentials remembered that may pass where their address may not. */
const MAX_CREDENTIALS = 10_000;

/** @param now milliseconds, monotonic */
export function createLoadControl(limits: LoadLimits, now: () => number = () => performance.now()): LoadControl {
  const work = createShareBuckets({ burst: limits.workBurstMs, perSecond: limits.workMsPerSecond }, now);
  const attempts = createShareBuckets({ burst: limits.attemptsBurst, perSecond: limits.attemptsPerSecond }, now);
  const requests = createClientCounts();
  const streams = createClientCounts();
  const bytes = createClientCounts();
  const passing = new Set<string>();

  const refuseWork = (client: string, isAddress: boolean): void => {
    const wait = work.waitSeconds(client);
    if (wait !== null) throw workLimited(limits, work, client, isAddress ? 'this address' : 'this token', wait);
  };
  const enter = (client: string, limit: number, kind: string): void => {
    if (client !== '' && requests.of(client) >= limit) {
      const values = { limit, client: kind };
      throw new ApiError('too_many_requests_at_once', values, { retryAfterSeconds: RETRY_BUSY_SECONDS });
    }
    requests.add(client, 1);
  };

  return {
    arrive({ address, credential, isProbe = false }) {
      const byAddress = address === '' ? '' : `${isProbe ? 'probe' : 'address'}:${addressKey(address)}`;
      if (requests.total >= limits.requests && !isProbe) throw busy();
      const proof = credential === undefined ? null : digest(credential);
      const mayPass = proof !== null && passing.has(proof);
      if (byAddress !== '' && !mayPass) refuseWork(byAddress, true);
      enter(byAddress, mayPass ? limits.requests : limits.requestsPerAddress, 'this address');
      // Whose request it is: its address, until it is authenticated.
      let client = byAddress;
      let payers = byAddress === '' ? [] : [byAddress];
      let isExempt = false;
      let pendingMs = FIXED_MS;
      let held = 0;
      let hasStream = false;
      let hasAttempt = false;
      let ended = false;
      const book = (): void => {
        for (const payer of payers) work.take(payer, pendingMs);
        pendingMs = 0;
      };
      return {
        limits,
        // Clients behind one proxy share an address, not a credential.
        get payer() {
          return client === byAddress && proof !== null ? `credential:${proof}` : client;
        },
        get share() {
          return isExempt ? EXEMPT_SHARE : 1;
        },
        add(milliseconds) {
          pendingMs += milliseconds;
          if (pendingMs >= BOOKED_MS) book();
        },
        identify(identified, options) {
          if (client === identified || ended) return;
          ({ isExempt } = options);
          book();
          requests.add(client, -1);
          bytes.add(client, -held);
          client = identified;
          requests.add(client, 1);
          bytes.add(client, held);
          // Clients on this machine may be those of a proxy; they do not pay for each other.
          const isLocal = isLoopback(address);
          payers = isExempt || isLocal || byAddress === '' ? [client] : [byAddress, client];
          if ((isExempt || isLocal) && proof !== null) remember(passing, proof);
          if (isExempt) return;
          refuseWork(client, false);
          if (requests.of(client) > limits.requestsPerClient) {
            const values = { limit: limits.requestsPerClient, client: 'this token' };
            throw new ApiError('too_many_requests_at_once', values, { retryAfterSeconds: RETRY_BUSY_SECONDS });
          }
        },
        hold(amount) {
          if (ended) return;
          const ofClient = isExempt || client === '' ? limits.bytes : limits.bytesPerClient;
          if (bytes.of(client) + amount > ofClient || bytes.total + amount > limits.bytes) {
            const limit = Math.min(ofClient, limits.bytes);
            throw new ApiError('too_many_bytes_in_flight', { limit }, { retryAfterSeconds: RETRY_BUSY_SECONDS });
          }
          held += amount;
          bytes.add(client, amount);
          pendingMs += amount * MS_PER_BYTE;
        },
        pass(amount) {
          pendingMs += amount * MS_PER_BYTE;
          if (pendingMs >= BOOKED_MS) book();
        },
        holdStream() {
          if (hasStream || ended) return;
          if (streams.total >= limits.streams) throw busy();
          if (!isExempt && streams.of(client) >= limits.streamsPerClient) {
            const values = { limit: limits.streamsPerClient };
            throw new ApiError('too_many_streams', values, { retryAfterSeconds: RETRY_BUSY_SECONDS });
          }
          hasStream = true;
          streams.add(client, 1);
        },
        countAttempt() {
          if (byAddress === '') return;
          const wait = attempts.waitSeconds(byAddress, 1);
          if (wait !== null) throw new ApiError('too_many_attempts', {}, { retryAfterSeconds: wait });
          hasAttempt = true;
          attempts.take(byAddress, 1);
        },
        settle(status) {
          if (hasAttempt && status < 400) attempts.take(byAddress, -1);
          hasAttempt = false;
        },
        end() {
          if (ended) return;
          ended = true;
          book();
          requests.add(client, -1);
          bytes.add(client, -held);
          if (hasStream) streams.add(client, -1);
        },
      };
    },
  };
}

function workLimited(
  { workBurstMs, workMsPerSecond }: LoadLimits,
  work: ShareBuckets,
  client: string,
  shown: string,
  retryAfterSeconds: number,
): ApiError {
  const { left, fullAfterSeconds } = work.state(client);
  // The fields of draft-ietf-httpapi-ratelimit-headers: units are milliseconds of work.
  const headers = {
    'RateLimit-Policy': `"work";q=${workBurstMs};w=${Math.ceil(workBurstMs / workMsPerSecond)}`,
    RateLimit: `"work";r=${left};t=${fullAfterSeconds}`,
  };
  return new ApiError('work_limited', { client: shown, percent: workMsPerSecond / 10 }, { retryAfterSeconds, headers });
}

function busy(): ApiError {
  return new ApiError('server_busy', {}, { retryAfterSeconds: RETRY_BUSY_SECONDS });
}

function digest(credential: string): string {
  return createHash('sha256').update(credential).digest('base64');
}

function remember(passing: Set<string>, credential: string): void {
  passing.delete(credential);
  passing.add(credential);
  for (const oldest of passing) {
    if (passing.size <= MAX_CREDENTIALS) break;
    passing.delete(oldest);
  }
}
