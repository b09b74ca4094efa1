/** A process that pulls from a loopback hub and prints its progress, to be killed: `node pull-child.js ENDPOINT MODELS`. */
import { writeSync } from 'node:fs';
import type { DownloadSizes } from '../download/download-file.ts';
import { openFetch } from '../download/proxy-fetch.ts';
import { pullModel } from '../pull/pull-model.ts';

/** Small, so that a download of seconds has many segments and lines of the journal. */
const SIZES: DownloadSizes = { connections: 6, segmentBytes: 2 ** 20, journalBytes: 512 * 1024 };

const [endpoint = '', models = ''] = process.argv.slice(2);
// A pipe takes it at once, so that no line is lost with the process.
const print = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}\n`);
const stored = await pullModel({
  models,
  from: 'gpt-j-6b',
  name: null,
  type: 'q8_0',
  endpoint,
  token: null,
  hubCache: null,
  offline: false,
  fetch: await openFetch(process.env),
  sizes: SIZES,
  tryLock: async () => ({ release: async () => {} }),
  machine: { totalBytes: 2 ** 36, freeBytes: 2 ** 36, isLimited: false },
  checksMemory: false,
  onEvent: print,
  signal: new AbortController().signal,
});
print({ type: 'stored', sha256: stored.sha256 });
