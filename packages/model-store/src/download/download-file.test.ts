import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LoopbackHub, type LoopbackHubOptions, startLoopbackHub } from '../testing/loopback-hub.ts';
import { randomBytesOf } from '../testing/random-checkpoint.ts';
import type { Clock } from './clock.ts';
import { type DownloadOptions, downloadFile } from './download-file.ts';
import { get, type HttpOptions } from './http.ts';

const KIB = 1024;
const SIZES = { connections: 4, segmentBytes: 256 * KIB, journalBytes: 128 * KIB };
const BYTES = randomBytesOf(3 * 1024 * KIB + 17, 'weights');

/** Pauses take no time and are recorded. With `stalls`, a silent connection counts as dead after a fraction of a second. */
function quickClock(stalls: boolean): { readonly clock: Clock; readonly pauses: number[] } {
  const pauses: number[] = [];
  const clock: Clock = {
    sleep: async (ms) => {
      pauses.push(ms);
    },
    after: (ms, act) => {
      if (!stalls) return () => {};
      const timer = setTimeout(act, ms / 50);
      return () => clearTimeout(timer);
    },
    now: () => Date.parse('2026-01-01T00:00:00Z'),
  };
  return { clock, pauses };
}

async function world(t: TestContext, options: Partial<LoopbackHubOptions> & { readonly stalls?: boolean } = {}) {
  const { stalls = false, ...hubOptions } = options;
  const folder = await mkdtemp(join(tmpdir(), 'gptj-download-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const hub = await startLoopbackHub({ repository: 'a/b', files: new Map([['w.bin', BYTES]]), ...hubOptions });
  t.after(() => hub.close());
  const { clock, pauses } = quickClock(stalls);
  const waits: string[] = [];
  const http: HttpOptions = {
    fetch: async (url, init) => await fetch(url, init),
    clock,
    credential: null,
    onWait: (reason) => waits.push(reason),
  };
  const path = join(folder, 'w.bin');
  const safe: number[] = [];
  const download = (changes: Partial<DownloadOptions> = {}) =>
    downloadFile({
      http,
      url: `${hub.url}/a/b/resolve/${hub.commit}/w.bin`,
      path,
      expected: { sizeBytes: BYTES.byteLength, checksum: null },
      maxBytes: 2 ** 30,
      sizes: SIZES,
      signal: new AbortController().signal,
      onSafe: (bytes) => safe.push(bytes),
      ...changes,
    });
  const assertComplete = async (): Promise<void> => {
    assert.ok(Buffer.compare(await readFile(path), BYTES) === 0, 'the file differs');
    assert.deepEqual(await readdir(folder), ['w.bin']);
    assert.ok(
      safe.every((bytes, at) => at === 0 || bytes >= safe[at - 1]!),
      `progress fell: ${safe.join(' ')}`,
    );
    assert.equal(safe.at(-1), BYTES.byteLength);
  };
  return { folder, path, hub, http, pauses, waits, safe, download, assertComplete };
}

function sentBytes({ served }: LoopbackHub): number {
  return served.reduce((sum, each) => sum + each.sentBytes, 0);
}

test('downloads a file in ranges from the storage behind the hub, and never sends the token there', async (t) => {
  const { hub, http, download, assertComplete } = await world(t, { token: 'hf_secret' });
  await download({ http: { ...http, credential: { origin: hub.url, token: 'hf_secret' } } });
  await assertComplete();
  assert.equal(hub.served.length, Math.ceil(BYTES.byteLength / SIZES.segmentBytes));
  assert.equal(sentBytes(hub), BYTES.byteLength);
  assert.deepEqual(hub.storageAuthorizations, []);
});

test('refuses a file that needs a token, and names the variable', async (t) => {
  const { download } = await world(t, { token: 'hf_secret' });
  await assert.rejects(download(), { code: 'not_allowed', message: /HF_TOKEN/ });
});

test('goes on after cuts, errors, silence, wrong ranges and bodies that are too long', async (t) => {
  const { hub, waits, download, assertComplete } = await world(t, {
    stalls: true,
    fault: ({ count }) => {
      if (count === 1) return { kind: 'cut', afterBytes: 100 * KIB };
      if (count === 3) return { kind: 'status', status: 500 };
      if (count === 5) return { kind: 'stall', afterBytes: 64 * KIB };
      if (count === 7) return { kind: 'wrongRange' };
      if (count === 9) return { kind: 'long' };
      return null;
    },
  });
  await download();
  await assertComplete();
  assert.ok(waits.some((reason) => /answered 500/.test(reason)));
  assert.ok(waits.some((reason) => /sent nothing for 30 seconds/.test(reason)));
  assert.ok(waits.some((reason) => /expected bytes from/.test(reason)));
  assert.ok(hub.served.length > 12);
});

test('waits as long as the server asks with Retry-After, in seconds or as a date', async (t) => {
  const { pauses, download, assertComplete } = await world(t, {
    fault: ({ count }) => {
      if (count === 0) return { kind: 'status', status: 429, headers: { 'retry-after': '17' } };
      const date = { 'retry-after': 'Thu, 01 Jan 2026 00:00:23 GMT' };
      return count === 1 ? { kind: 'status', status: 503, headers: date } : null;
    },
  });
  await download();
  await assertComplete();
  assert.deepEqual(pauses.toSorted(), [17_000, 23_000]);
});

test('gives up on a server that keeps failing, after pauses that become longer', async (t) => {
  const { pauses, download } = await world(t, { fault: () => ({ kind: 'status', status: 502 }) });
  await assert.rejects(download({ sizes: { ...SIZES, connections: 1 } }), {
    code: 'connection_failed',
    message: /answered 502, after 9 tries; repeat the command later/,
  });
  assert.equal(pauses.length, 8);
  assert.ok(pauses[7]! > 10 * pauses[0]!);
});

test('asks the hub for a new link when that to the storage has expired', async (t) => {
  const { hub, pauses, download, assertComplete } = await world(t, { linkUses: 5 });
  await download();
  await assertComplete();
  assert.ok(hub.hubRequests.length > 2);
  assert.deepEqual(pauses, []);
});

test('downloads a file again whose bytes were changed on the way, and reports it', async (t) => {
  const { waits, download, assertComplete } = await world(t, {
    fault: ({ count }) => (count < 13 ? { kind: 'corrupt', at: 1_000_000 } : null),
  });
  await download();
  await assertComplete();
  assert.match(waits.join(), /expected the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}; it is downloaded again/);
});

test('gives up on bytes that are changed every time, and leaves no file', async (t) => {
  const { folder, hub, download } = await world(t, { fault: () => ({ kind: 'corrupt', at: 5 }) });
  await assert.rejects(download(), {
    code: 'hash_mismatch',
    message: /3 times; a proxy or the disk changes the bytes/,
  });
  assert.equal(sentBytes(hub), 3 * BYTES.byteLength);
  assert.deepEqual(await readdir(folder), []);
});

test('downloads from a server without ranges, and skips what is safe after a cut', async (t) => {
  const { download, assertComplete } = await world(t, {
    hasRanges: false,
    fault: ({ count }) => (count === 0 ? { kind: 'cut', afterBytes: 1024 * KIB } : null),
  });
  await download();
  await assertComplete();
});

test('fetches no safe byte again after it was stopped, also with a journal that was cut in a line', async (t) => {
  const { hub, path, safe, download, assertComplete } = await world(t);
  const stop = new AbortController();
  const stopping = download({
    signal: stop.signal,
    onSafe: (bytes) => {
      safe.push(bytes);
      if (bytes > BYTES.byteLength / 2) stop.abort();
    },
  });
  await assert.rejects(stopping, { code: 'aborted' });
  const before = safe.at(-1)!;
  assert.ok(before < BYTES.byteLength && (await stat(`${path}.part`)).size === BYTES.byteLength);
  await appendFile(`${path}.journal`, '[[0,26');
  const served = sentBytes(hub);
  await download();
  await assertComplete();
  assert.equal(sentBytes(hub) - served, BYTES.byteLength - before);
});

test('begins again when the file at the address has become another one', async (t) => {
  const files = new Map([['w.bin', randomBytesOf(BYTES.byteLength, 'before')]]);
  const { hub, safe, download, assertComplete } = await world(t, {
    files,
    fault: ({ count }) => (count === 6 ? { kind: 'status', status: 404 } : null),
  });
  await assert.rejects(download(), { code: 'not_found' });
  assert.ok(safe.at(-1)! > 0);
  files.set('w.bin', BYTES);
  safe.length = 0;
  const served = sentBytes(hub);
  await download();
  await assertComplete();
  assert.equal(sentBytes(hub) - served, BYTES.byteLength);
});

test('follows at most eight redirects, and none to another protocol', async (t) => {
  const { http } = await world(t);
  const signal = new AbortController().signal;
  const redirecting = (location: string): HttpOptions => ({
    ...http,
    fetch: async () => new Response(null, { status: 302, headers: { location } }),
  });
  const ask = (location: string, url = 'https://hub.example/a'): Promise<unknown> =>
    get(redirecting(location), url, {}, signal);
  await assert.rejects(ask('/b'), { code: 'reply_invalid', message: /at most 8 redirects/ });
  await assert.rejects(ask('file:///etc/passwd'), { code: 'reply_invalid', message: /expected a redirect to https/ });
  await assert.rejects(ask('http://hub.example/a'), { code: 'reply_invalid', message: /expected a redirect to https/ });
});

test('refuses a file whose size is not that of the listing, or more than the limit', async (t) => {
  const { download } = await world(t);
  await assert.rejects(download({ expected: { sizeBytes: 5, checksum: null } }), {
    code: 'reply_invalid',
    message: /expected 5 bytes, as the listing says, got 3145745/,
  });
  await assert.rejects(download({ maxBytes: 1000 }), { code: 'reply_invalid', message: /at most 1000 bytes/ });
});
