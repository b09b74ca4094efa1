/** Settings that limit what one client makes the server work and hold. */
import type { z } from 'zod';
import type { LoadLimits } from '../http/load/load-limits.ts';
import { integerSetting } from './setting.ts';

export const loadSettings = {
  WORK_PERCENT_PER_CLIENT: integerSetting({
    group: 'Load',
    help: 'share of one core that the requests of one user, and those of one address, may take: see [below](#limits-on-load)',
    fallback: 50,
    min: 1,
    max: 10_000,
  }),
  WORK_BURST_SECONDS: integerSetting({
    group: 'Load',
    help: 'work that a client may cause at once after a pause, in seconds of one core',
    fallback: 15,
    min: 1,
    max: 3600,
  }),
  MAX_ATTEMPTS_PER_ADDRESS: integerSetting({
    group: 'Load',
    help: 'refused requests without credentials (sign-in, registration, links) of one address in ten minutes',
    fallback: 60,
    min: 1,
    max: 100_000,
  }),
  MAX_REQUESTS: integerSetting({
    group: 'Load',
    help: 'requests under way, streams and waiting replies among them; further ones are refused with 503',
    fallback: 2048,
    min: 1,
    max: 1_000_000,
  }),
  MAX_REQUESTS_PER_CLIENT: integerSetting({
    group: 'Load',
    help: 'requests of one user under way; further ones are refused with 429',
    fallback: 128,
    min: 1,
    max: 1_000_000,
  }),
  MAX_REQUESTS_PER_ADDRESS: integerSetting({
    group: 'Load',
    help: 'requests of one address under way that are not authenticated',
    fallback: 256,
    min: 1,
    max: 1_000_000,
  }),
  MAX_STREAMS: integerSetting({
    group: 'Load',
    help: 'open streams; further ones are refused with 503',
    fallback: 1024,
    min: 1,
    max: 1_000_000,
  }),
  MAX_STREAMS_PER_CLIENT: integerSetting({
    group: 'Load',
    help: 'open streams of one user; further ones are refused with 429',
    fallback: 64,
    min: 1,
    max: 1_000_000,
  }),
  MAX_MB_IN_FLIGHT: integerSetting({
    group: 'Load',
    help: 'MiB of bodies that arrive and replies that are read; at least twice `MAX_UPLOAD_BYTES`; beyond it 503',
    fallback: 512,
    min: 1,
    max: 2 ** 20,
  }),
  MAX_MB_IN_FLIGHT_PER_CLIENT: integerSetting({
    group: 'Load',
    help: 'the same of one user or address',
    fallback: 128,
    min: 1,
    max: 2 ** 20,
  }),
  MIN_TRANSFER_BYTES_PER_SECOND: integerSetting({
    group: 'Load',
    help: 'slowest body and slowest reading of a reply; slower ones are aborted; 0 allows any',
    fallback: 1024,
    min: 0,
    max: 2 ** 20,
  }),
} as const;

type LoadSettings = { readonly [Name in keyof typeof loadSettings]: z.output<(typeof loadSettings)[Name]> };

const ATTEMPTS_PERIOD_SECONDS = 600;

/** The limits in the units that the code uses. */
export function parseLoad(settings: LoadSettings & { readonly MAX_UPLOAD_BYTES: number }): LoadLimits {
  // One upload of the largest size, and its copy, have to fit.
  const minBytes = 2 * settings.MAX_UPLOAD_BYTES;
  return {
    workMsPerSecond: settings.WORK_PERCENT_PER_CLIENT * 10,
    workBurstMs: settings.WORK_BURST_SECONDS * 1000,
    attemptsBurst: settings.MAX_ATTEMPTS_PER_ADDRESS,
    attemptsPerSecond: settings.MAX_ATTEMPTS_PER_ADDRESS / ATTEMPTS_PERIOD_SECONDS,
    requests: settings.MAX_REQUESTS,
    requestsPerClient: settings.MAX_REQUESTS_PER_CLIENT,
    requestsPerAddress: settings.MAX_REQUESTS_PER_ADDRESS,
    streams: settings.MAX_STREAMS,
    streamsPerClient: settings.MAX_STREAMS_PER_CLIENT,
    bytes: Math.max(minBytes, settings.MAX_MB_IN_FLIGHT * 2 ** 20),
    bytesPerClient: Math.max(minBytes, settings.MAX_MB_IN_FLIGHT_PER_CLIENT * 2 ** 20),
    minBytesPerSecond: settings.MIN_TRANSFER_BYTES_PER_SECOND,
  };
}
