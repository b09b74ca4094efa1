/** The SDK's compiled files in a real browser, as a page of another origin uses them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { fillDataDir } from '@gptj-cloud/server/testing';
import { findChromium, SKIP_WITHOUT_CHROMIUM } from '../dashboard/chromium.ts';

const TOKEN = 'browser-token-0123456789';
const SDK = fileURLToPath(new URL('../../../packages/sdk/dist/', import.meta.url));
const browser = findChromium();
const skip = SKIP_WITHOUT_CHROMIUM;

let folder: string;
let server: RunningServer;
let site: Server;
let sitePort: number;
/** Receives the report of a page. */
let tell: (report: unknown) => void = () => {};

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'gptj-browser-'));
  site = createServer((request, reply) => void answer(request, reply)).listen(0, '127.0.0.1');
  await new Promise((resolve) => site.once('listening', resolve));
  sitePort = (site.address() as AddressInfo).port;
  await fillDataDir(join(folder, 'data'));
  server = await serve(
    { port: 0, dataDir: join(folder, 'data'), apiToken: TOKEN, corsOrigins: [`http://127.0.0.1:${sitePort}`] },
    { environment: {}, print: () => {}, log: () => {} },
  );
});
after(async () => {
  if (skip !== false) return;
  await server?.close();
  site?.close();
  await rm(folder, { recursive: true, force: true });
});

async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const path = request.url ?? '/';
  if (path === '/report') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    reply.end();
    tell(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } else if (path.startsWith('/sdk/')) {
    const file = await readFile(join(SDK, normalize(path.slice('/sdk/'.length)))).catch(() => null);
    reply.writeHead(file === null ? 404 : 200, { 'content-type': 'text/javascript' }).end(file ?? '');
  } else {
    reply.writeHead(200, { 'content-type': 'text/html' }).end(page());
  }
}

function page(): string {
  return `<!doctype html><script type="module">
    import { PipelineCloud, throwIfFailed } from '/sdk/index.js';
    const report = {};
    try {
      const api = new PipelineCloud({ token: '${TOKEN}', url: '${server.url}', maxRetries: 0 });
      const data = ['Once upon a time', { response_length: 12, do_sample: false }];
      report.preview = throwIfFailed(await api.runPipeline('${GPTJ_PIPELINE_ID}', data)).resultPreview;
      report.texts = [];
      for await (const text of api.streamPipeline('${GPTJ_PIPELINE_ID}', data).texts()) report.texts.push(text);
      const stranger = new PipelineCloud({ token: 'wrong-token', url: '${server.url}', maxRetries: 0 });
      report.stranger = await stranger.listRuns().catch((error) => error.name);
    } catch (error) {
      report.error = error.name;
      report.message = error.message;
    }
    await fetch('/report', { method: 'POST', body: JSON.stringify(report) });
  </script>`;
}

/** Open a page of the site and wait for its report. */
async function visit(host: string): Promise<Record<string, unknown>> {
  const profile = await mkdtemp(join(folder, 'profile-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-port=0'];
  const child: ChildProcess = spawn(browser!, [...flags, `--user-data-dir=${profile}`, `http://${host}:${sitePort}/`], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    return await new Promise((resolve, reject) => {
      tell = (report) => resolve(report as Record<string, unknown>);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the browser ended with ${code}`)));
    });
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

test('a page runs a pipeline, streams one, and receives the error of a refused token', {
  skip,
  timeout: 120_000,
}, async () => {
  const { preview, texts, stranger, error } = await visit('127.0.0.1');
  assert.equal(error, undefined);
  assert.ok(Array.isArray(texts) && texts.length > 1);
  assert.ok(JSON.stringify(preview).includes(JSON.stringify(texts.join('')).slice(1, -1)));
  assert.equal(stranger, 'AuthenticationError');
});

test('a page of an origin that is not listed cannot call the API, and learns which setting lists it', {
  skip,
  timeout: 120_000,
}, async () => {
  const { error, message } = await visit('localhost');
  assert.equal(error, 'ConnectionFailedError');
  assert.match(String(message), new RegExp(`set its CORS_ORIGINS to include http://localhost:${sitePort}$`));
});
