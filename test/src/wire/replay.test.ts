/**
 * Replays recorded requests of the original clients byte for byte, and checks the fields of each reply that the client reads.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readPickle } from '@gptj-cloud/pickle';
import {
  type DataGet,
  dataGetSchema,
  type FileGet,
  fileGetSchema,
  isId,
  type RunGet,
  runGetSchema,
  runPageSchema,
} from '@gptj-cloud/protocol';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { fillDataDir } from '@gptj-cloud/server/testing';
import { dotModel } from './fake-model.ts';
import { RawClient, type RawReply } from './raw-client.ts';
import { parseRecording, type RecordedRequest } from './recording.ts';

const PROMPT = 'I met a traveller from an antique land, who said';
const RECORDINGS = ['0.0.24', '0.0.50', '0.1.9', '0.2.13', '0.3.12', '0.4.6', 'asyncio'] as const;

let folder: string;
let server: RunningServer;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-wire-'));
  await fillDataDir(folder);
  server = await serve(
    { port: 0, dataDir: folder, apiToken: 'API_TOKEN' },
    { environment: {}, openModel: async () => dotModel(), print: () => {}, log: () => {} },
  );
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** State of a client between calls. */
interface Held {
  file: FileGet | null;
  data: DataGet | null;
  run: RunGet | null;
  /** Hex of the uploaded file. */
  uploaded: string;
}

for (const name of RECORDINGS) {
  test(`the client of ${name}.raw gets from every call what it reads`, async () => {
    const requests = parseRecording(await readFile(new URL(`../../goldens/wire/${name}.raw`, import.meta.url)));
    assert.ok(requests.length >= 4, `${requests.length} requests`);
    const client = await RawClient.open(server.port);
    const held: Held = { file: null, data: null, run: null, uploaded: '' };
    try {
      for (const request of requests) {
        const { target, body } = substitute(request, held);
        check(request, await client.send({ ...request, target }, body), held);
      }
      assert.equal(held.run?.run_state, 'complete');
    } finally {
      client.close();
    }
  });
}

/** Replace the recorded ids of the stub server by those of this server. */
function substitute(request: RecordedRequest, held: Held): { readonly target: string; readonly body: Buffer } {
  const live = (kind: string): string | undefined =>
    kind === 'data' ? held.data?.id : request.method === 'GET' ? held.run?.result?.id : held.file?.id;
  const swap = (text: string): string => text.replace(/\b(data|file)_[0-9a-f]{32}\b/g, (id, kind) => live(kind) ?? id);
  return {
    target: swap(request.target),
    body: isForm(request) ? request.body : Buffer.from(swap(request.body.toString('utf8'))),
  };
}

function check(request: RecordedRequest, reply: RawReply, held: Held): void {
  const call = `${request.method} ${request.target.replace(/[?_].*/, '')}`;
  assert.ok(reply.status === 200 || reply.status === 201, `${call}: ${reply.status} ${reply.body}`);
  assert.match(reply.headers.get('content-type') ?? '', /^application\/json/);
  const body: unknown = JSON.parse(reply.body.toString('utf8'));
  assert.ok(typeof body === 'object' && body !== null && !Array.isArray(body), call);
  switch (call) {
    case 'GET /v2/users/me':
      return;
    case 'POST /v2/files/':
      held.uploaded = formPart(request);
      held.file = readFileGet(body);
      assert.equal(held.file.data, held.uploaded);
      assert.equal(held.file.file_size, held.uploaded.length);
      return;
    case 'POST /v2/data':
      if (isForm(request)) held.uploaded = Buffer.from(formPart(request), 'latin1').toString('hex');
      held.data = dataGetSchema.parse(body);
      assert.ok(isId('data', held.data.id));
      readFileGet(held.data.hex_file);
      return;
    case 'POST /v2/runs':
      held.run = readRunGet(body);
      assert.equal(held.run.data.id, held.data?.id);
      // The seed's parameters: 64 new tokens, prompt kept.
      assert.deepEqual(held.run.result_preview, [[PROMPT + '.'.repeat(64)]]);
      return;
    case 'GET /v2/runs': {
      const page = runPageSchema.parse(body);
      assert.deepEqual([page.skip, page.limit], [0, 20]);
      assert.deepEqual(page.data[0], held.run);
      return;
    }
    case 'GET /v2/files/file': {
      const data = readFileGet(body).data ?? '';
      assert.deepEqual(readPickle(Buffer.from(data, 'hex')), held.run?.result_preview);
      return;
    }
    case 'GET /v2/data/data':
      assert.equal(dataGetSchema.parse(body).hex_file.data, held.uploaded);
      return;
    default:
      assert.fail(`no check for ${call}`);
  }
}

/** The fields that pydantic requires must be present, also if they may be null. */
function readFileGet(body: unknown): FileGet {
  assertKeys(body, ['id', 'name', 'path', 'data', 'file_size']);
  const file = fileGetSchema.parse(body);
  assert.ok(isId('file', file.id));
  assert.match(file.path, /^object_[0-9a-z]{64}$/);
  return file;
}

function readRunGet(body: unknown): RunGet {
  assertKeys(body, ['id', 'created_at', 'run_state', 'runnable', 'data', 'result', 'result_preview', 'error']);
  const run = runGetSchema.parse(body);
  assert.ok(isId('run', run.id));
  const graph = ['variables', 'functions', 'models', 'graph_nodes', 'outputs'];
  assertKeys(run.runnable, ['id', 'name', 'type', 'project', ...graph]);
  assertKeys(run.runnable.project, ['id', 'name', 'avatar_colour', 'avatar_image_url']);
  assert.match(run.runnable.project.avatar_colour ?? '#000000', /^#[0-9a-f]{6}$/);
  assert.ok(run.created_at > 1e9 && run.created_at < 2e10, 'seconds, not milliseconds');
  return run;
}

function assertKeys(value: unknown, keys: readonly string[]): void {
  assert.ok(typeof value === 'object' && value !== null);
  for (const key of keys) assert.ok(Object.hasOwn(value, key), `${key} is missing`);
}

function isForm(request: RecordedRequest): boolean {
  return request.headers.some(
    ([name, value]) => name.toLowerCase() === 'content-type' && value.startsWith('multipart/'),
  );
}

/** Bytes of the last part of a recorded form, one character a byte. */
function formPart(request: RecordedRequest): string {
  const text = request.body.toString('latin1');
  const from = text.lastIndexOf('\r\n\r\n') + 4;
  return text.slice(from, text.indexOf('\r\n--', from));
}
