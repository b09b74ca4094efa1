import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { createKeyFinder, type FoundApiKey } from '../identity/api-keys/api-key-store.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';

const MUTATIONS = 10_000;
const SEED = 20220323;
const PICKLE =
  '80059560000000000000005d94288c3049206d657420612074726176656c6c65722066726f6d20616e20616e7469717565206c616e642c2077' +
  '686f2073616964947d94288c0f726573706f6e73655f6c656e677468944b408c0c72656d6f76655f696e707574948975652e';
const BOUNDARY = 'f48f89f4ea90450286c95828b8a1309a';

interface Sample {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

let it: TestApp;
before(async () => {
  // Ten thousand look-ups of one key would take longer than the test itself.
  let found: FoundApiKey | null | undefined;
  it = await openTestApp({
    findKey: async (token) => {
      found ??= await createKeyFinder(it.store.db)(token);
      return found === null ? null : { ...found, key: { ...found.key, lastUsedAt: NOW } };
    },
  });
});
after(() => it.close());

test(`answers ${MUTATIONS} mutations of the clients' bodies without a crash and without a 5xx`, async () => {
  const samples = await clientSamples();
  const random = mulberry32(SEED);
  const statuses = new Map<number, number>();
  for (let i = 0; i < MUTATIONS; i++) {
    const sample = samples[i % samples.length]!;
    const body = mutate(sample.body, random);
    const contentType =
      random() < 0.03 ? mutate(Buffer.from(sample.contentType), random).toString('hex') : sample.contentType;
    const reply = await it.request(sample.path, { method: 'POST', body, headers: { 'content-type': contentType } });
    const text = await reply.text();
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    assert.ok(reply.status < 500, `mutation ${i}: ${reply.status} ${text} for ${body.toString('latin1')}`);
    if (reply.status >= 400) assert.ok(text.startsWith('{"detail":{"message":"'), `mutation ${i}: ${text}`);
  }
  // The mutations must reach both sides of the checks, or they test nothing.
  assert.ok((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) > MUTATIONS / 50, JSON.stringify([...statuses]));
  assert.ok((statuses.get(400) ?? 0) > MUTATIONS / 10, JSON.stringify([...statuses]));
});

/** Recorded bodies of the clients with ids that exist here, and a run whose data are a mutated pickle. */
async function clientSamples(): Promise<readonly Sample[]> {
  const disposition = 'Content-Disposition: form-data; name=';
  const octets = 'Content-Type: application/octet-stream\r\n';
  const form = (...parts: readonly (string | Buffer)[]): Buffer =>
    Buffer.concat(parts.map((part) => Buffer.from(part)));
  const contentType = `multipart/form-data; boundary=${BOUNDARY}`;
  const files: Sample = {
    path: '/v2/files/',
    contentType,
    body: form(
      `--${BOUNDARY}\r\n${disposition}"file_path"\r\n\r\n/\r\n`,
      `--${BOUNDARY}\r\n${disposition}"file"; filename="UhocbrIYUIsUTtEsgamq"\r\n${octets}Content-Transfer-Encoding: binary\r\n\r\n`,
      `${PICKLE}\r\n--${BOUNDARY}--\r\n`,
    ),
  };
  const rawData: Sample = {
    path: '/v2/data',
    contentType,
    body: form(
      `--${BOUNDARY}\r\n${disposition}"data"; filename="491c81c4-9339-493f-8a25-d7e02a2a288a"\r\n${octets}\r\n`,
      Buffer.from(PICKLE, 'hex'),
      `\r\n--${BOUNDARY}--\r\n`,
    ),
  };
  const file = await postJson(files);
  const data = await postJson(rawData);
  const json = (path: string, body: unknown): Sample => ({
    path,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(body)),
  });
  return [
    files,
    rawData,
    json('/v2/data', file),
    json('/v2/runs', {
      pipeline_id: GPTJ_PIPELINE_ID,
      function_id: null,
      data: null,
      data_id: data.id,
      blocking: false,
      compute_type: null,
      compute_requirements: { min_gpu_vram_mb: 1024 },
    }),
    json('/v2/runs', {
      pipeline_id: GPTJ_PIPELINE_ID,
      data: ['I met a traveller from an antique land, who said', { response_length: 64, remove_input: false }],
    }),
  ];
}

async function postJson(sample: Sample): Promise<{ readonly id: unknown }> {
  const reply = await it.request(sample.path, {
    method: 'POST',
    body: sample.body,
    headers: { 'content-type': sample.contentType },
  });
  assert.equal(reply.status, 201);
  const body: unknown = await reply.json();
  assert.ok(typeof body === 'object' && body !== null && 'id' in body);
  return body;
}

/** One to four edits: a changed byte, a cut, a repeat, a swap of one token of the grammar for another. */
function mutate(original: Buffer, random: () => number): Buffer {
  let body = Buffer.from(original);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const at = below(body.length + 1);
    const length = below(Math.min(24, body.length - at) + 1);
    switch (below(4)) {
      case 0:
        if (at < body.length) body[at] = below(256);
        break;
      case 1:
        body = Buffer.concat([body.subarray(0, at), body.subarray(at + length)]);
        break;
      case 2:
        body = Buffer.concat([body.subarray(0, at + length), body.subarray(at)]);
        break;
      default:
        body = Buffer.concat([body.subarray(0, at), Buffer.from(TOKENS[below(TOKENS.length)]!), body.subarray(at)]);
    }
  }
  return body;
}

const TOKENS = [
  ...['"', '{', '}', '[', ']', ',', ':', '\\u0000', '\\ud800', '1e999', '-0', '64.0', 'null', 'NaN', '"__proto__":1,'],
  ...['\r\n', `--${BOUNDARY}`, '--', '; name="x"', '\0', '\x80\x05', '94', '.', 'true', '99999999999999999999', 'ff'],
];

/** A small seeded generator (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
