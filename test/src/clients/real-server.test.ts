/** The project's clients against one `gptj serve` process with the embedded model. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GPTJ_PIPELINE_ID, sessionGetSchema, tokenGetSchema } from '@gptj-cloud/protocol';
import { AuthenticationError, ConflictError, hasEnded, PipelineCloud, throwIfFailed } from '@gptj-cloud/sdk';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { fillDataDir } from '@gptj-cloud/server/testing';

const TOKEN = 'end-to-end-token-0123456789';
const repository = new URL('../../../', import.meta.url);
const examples = new URL('packages/sdk/examples/dist/', repository);
const python = fileURLToPath(new URL('clients/python', repository));
const noPython = missingPython();
const run = promisify(execFile);

let folder: string;
let server: RunningServer;
let api: PipelineCloud;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-clients-'));
  await fillDataDir(folder);
  server = await serve(
    { port: 0, dataDir: folder, apiToken: TOKEN },
    { environment: {}, print: () => {}, log: () => {} },
  );
  api = new PipelineCloud({ token: TOKEN, url: server.url });
});
after(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

test('runPipeline, streamPipeline and startRun of the SDK return the same text for the same prompt', async () => {
  const data = ['Once upon a time', { response_length: 12, do_sample: false }] as const;
  const awaited = throwIfFailed(await api.runPipeline(GPTJ_PIPELINE_ID, data));
  assert.ok((awaited.usage?.generatedTokens ?? 0) > 0);

  const texts: string[] = [];
  for await (const text of api.streamPipeline(GPTJ_PIPELINE_ID, data).texts()) texts.push(text);
  const written = texts.join('');
  assert.ok(written.length > 0 && JSON.stringify(awaited.resultPreview).includes(JSON.stringify(written).slice(1, -1)));

  const started = await api.startRun(GPTJ_PIPELINE_ID, data);
  const ended = await api.waitForRun(started.id);
  assert.deepEqual(ended.resultPreview, awaited.resultPreview);
  const followed: string[] = [];
  for await (const text of api.followRun(started.id).texts()) followed.push(text);
  assert.equal(followed.join(''), written);

  assert.ok((await api.downloadResult(ended)).length > 0);
  const page = await api.listRuns({ runState: 'complete', pipelineId: GPTJ_PIPELINE_ID, limit: 2 });
  assert.deepEqual([page.items[0]?.id, page.items.length, page.total], [ended.id, 2, 3]);
  await api.deleteRun(ended.id);
  await assert.rejects(api.getRun(ended.id), { name: 'NotFoundError' });
});

test('a stream whose connection drops repeatedly neither loses nor repeats events', async () => {
  const data = ['Once upon a time', { response_length: 40, do_sample: false }] as const;
  let connections = 0;
  const dropping = new PipelineCloud({
    token: TOKEN,
    url: server.url,
    maxRetries: 3,
    fetch: async (input, init) => {
      const reply = await fetch(input, init);
      // The last connection is not broken.
      return ++connections > 3 ? reply : cutAfter(reply, 1);
    },
  });
  const tokens: number[] = [];
  let text = '';
  for await (const event of dropping.streamPipeline(GPTJ_PIPELINE_ID, data, { keepRunning: true })) {
    if (event.type === 'run') {
      if (hasEnded(event.run)) assert.equal(tokens.length, event.run.usage?.generatedTokens);
    } else if (event.type === 'token') {
      tokens.push(...event.tokens);
      text += event.text;
    }
  }
  assert.ok(connections > 1);
  const whole = throwIfFailed(await api.runPipeline(GPTJ_PIPELINE_ID, data));
  assert.ok(JSON.stringify(whole.resultPreview).includes(JSON.stringify(text).slice(1, -1)));
});

test('the same idempotency key returns the same run; a wrong token and an open run raise their error classes', async () => {
  const options = { idempotencyKey: 'once' };
  const first = await api.runPipeline(GPTJ_PIPELINE_ID, ['a', { response_length: 2 }], options);
  assert.equal((await api.runPipeline(GPTJ_PIPELINE_ID, ['a', { response_length: 2 }], options)).id, first.id);
  await assert.rejects(api.runPipeline(GPTJ_PIPELINE_ID, ['b', { response_length: 2 }], options), ConflictError);
  await assert.rejects(new PipelineCloud({ token: 'wrong', url: server.url }).listRuns(), AuthenticationError);
});

test('leaving a stream early ends its run, and cancelRun ends an open run', async () => {
  const long = ['Once upon a time', { response_length: 400, eos_token_id: null }] as const;
  let id = '';
  for await (const event of api.streamPipeline(GPTJ_PIPELINE_ID, long)) {
    if (event.type === 'run') id = event.run.id;
    else break;
  }
  assert.equal((await api.waitForRun(id, { pollMs: 50, waitMs: 60_000 })).runState, 'failed');

  for await (const event of api.streamPipeline(GPTJ_PIPELINE_ID, long, { keepRunning: true })) {
    if (event.type === 'run') id = event.run.id;
    else break;
  }
  assert.ok(hasEnded(await api.cancelRun(id)));
});

test('the SDK reads plans, pipelines, tags, tokens and usage of the account', async () => {
  assert.ok((await api.plans.list()).plans.length > 0);
  assert.equal((await api.pipelines.list()).items[0]?.id, GPTJ_PIPELINE_ID);
  const tag = await api.tags.create({ name: 'me/story:v1', pipeline: GPTJ_PIPELINE_ID });
  assert.equal((await api.tags.getByName('me/story:v1')).id, tag.id);
  assert.equal((await api.pipelines.get('me/story:v1')).id, GPTJ_PIPELINE_ID);
  await api.tags.delete(tag.id);
  assert.ok((await api.usage.get()).total.runs >= 3);
  assert.match(await api.usage.csv(), /^[a-z_,]+\r?\n/);
  assert.ok((await api.usage.previewInvoice()).total.length > 0);
});

for (const example of ['wait', 'stream', 'later']) {
  test(`the example ${example} runs as it is written`, async () => {
    assert.ok((await runExample(example, { PIPELINE_API_TOKEN: TOKEN })).length > 1);
  });
}

test('the example account runs as it is written, with the token and the password of a user', async () => {
  const account = { email: 'ada@example.org', username: 'ada', password: 'Analytical 4 engines' };
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> => {
    const reply = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    assert.ok(reply.ok, `${path}: ${reply.status}`);
    return reply;
  };
  await send('/v2/auth/register', account);
  const login = await send('/v2/auth/login', { login: account.username, password: account.password });
  const { csrf_token: csrf } = sessionGetSchema.parse(await login.json());
  const cookie = login.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ');
  const token = await send('/v2/tokens', { scopes: ['admin'] }, { cookie, 'x-csrf-token': csrf });
  const { value } = tokenGetSchema.parse(await token.json());
  const printed = await runExample('account', { PIPELINE_API_TOKEN: value, PIPELINE_PASSWORD: account.password });
  assert.match(printed, /created for an afternoon with the scopes run/);
});

async function runExample(name: string, environment: Record<string, string>): Promise<string> {
  const { stdout } = await run(process.execPath, [fileURLToPath(new URL(`${name}.js`, examples))], {
    env: { ...environment, PIPELINE_API_URL: server.url },
    timeout: 120_000,
  });
  return stdout;
}

test("the Python client's README runs as printed", { skip: noPython }, async () => {
  const readme = await readFile(join(python, 'README.md'), 'utf8');
  const snippets = [...readme.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code]) => code);
  assert.equal(snippets.length, 5);
  const { stdout } = await run('python3', ['-W', 'error', '-c', snippets.join('\n')], {
    cwd: python,
    env: {
      ...process.env,
      PIPELINE_API_TOKEN: TOKEN,
      PIPELINE_API_URL: server.url,
      PYTHONDONTWRITEBYTECODE: '1',
    },
    timeout: 120_000,
  });
  assert.match(stdout, /I met a traveller from an antique land, who said/);
  assert.match(stdout, /^complete /m);
});

test('the programs of the guide to the Python client run as printed', { skip: noPython }, async () => {
  const guide = await readFile(new URL('docs/guide/python.md', repository), 'utf8');
  const programs = [...guide.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  assert.ok(programs.length >= 7);
  for (const program of programs) {
    const { stdout } = await run('python3', ['-W', 'error', '-c', program], {
      env: { ...process.env, PYTHONPATH: python, PIPELINE_API_TOKEN: TOKEN, PIPELINE_API_URL: server.url },
      timeout: 120_000,
    });
    // A program that only defines a function has nothing to print.
    assert.equal(stdout !== '', !/^def receive/m.test(program), program);
  }
});

/** The reply, its connection broken after `pieces` pieces of its body. */
function cutAfter(reply: Response, pieces: number): Response {
  const reader = reply.body?.getReader();
  let left = pieces;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = left-- > 0 ? await reader?.read() : undefined;
        if (piece?.value !== undefined) return controller.enqueue(piece.value);
        await reader?.cancel();
        controller.error(new TypeError('terminated'));
      },
      cancel: () => reader?.cancel(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status: reply.status, headers: reply.headers });
}

function missingPython(): string | false {
  const version = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'], { timeout: 20_000 });
  if (version.error) return 'python3 is not installed';
  return version.status === 0 ? false : 'python3 is older than 3.9';
}
