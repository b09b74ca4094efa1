/** A server process that is killed while a page is open, and started again on the same folder and port. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { chromium, type Page } from 'playwright-core';
import { findChromium, SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const TOKEN = 'dashboard-token-0123456789';
const COMMAND = fileURLToPath(new URL('../../../apps/cli/bin/gptj.mjs', import.meta.url));
const MAX_WAIT_MS = 180_000;
const closing: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

interface ServerProcess {
  readonly url: string;
  readonly kill: () => Promise<unknown>;
}

async function startServer(dataDir: string, port: string): Promise<ServerProcess> {
  const owner = {
    GPTJ_OWNER_EMAIL: OWNER.email,
    GPTJ_OWNER_USERNAME: OWNER.username,
    GPTJ_OWNER_PASSWORD: OWNER.password,
  };
  const settings = { GPTJ_API_TOKEN: TOKEN, DATA_DIR: dataDir, PORT: port, LOG_LEVEL: 'warn', ...owner };
  const child: ChildProcess = spawn(process.execPath, [COMMAND, 'serve'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += String(chunk);
      const [, address] = /listens on (http:\/\/\S+?:\d+)/.exec(printed) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error(`the server ended: ${printed}`)));
  });
  return {
    url,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

interface Opened {
  readonly server: ServerProcess;
  readonly folder: string;
  readonly page: Page;
  readonly api: PipelineCloud;
}

/** A server process on a fresh folder, and a page of a browser that is signed in. */
async function openProcess(): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-killed-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const server = await startServer(folder, '0');
  closing.push(server.kill);
  const browser = await chromium.launch({ executablePath: findChromium() ?? '', args: ['--no-sandbox'] });
  closing.push(() => browser.close());
  const context = await browser.newContext({ locale: 'en-GB' });
  context.setDefaultTimeout(MAX_WAIT_MS);
  const data = { login: OWNER.username, password: OWNER.password };
  await context.request.post(`${server.url}/v2/auth/login`, { data });
  return { server, folder, page: await context.newPage(), api: new PipelineCloud({ token: TOKEN, url: server.url }) };
}

test('a text that is streamed while the server is killed is complete after its restart: nothing is lost or twice there', {
  skip,
}, async () => {
  const { server, folder, page, api } = await openProcess();
  const prompt = 'Once upon a time';
  const parameters = { max_new_tokens: 600, min_new_tokens: 600, do_sample: true, seed: 7, deterministic: true };
  const shared = deflateRawSync(JSON.stringify([1, [['t', prompt]], parameters])).toString('base64url');
  await page.goto(`${server.url}/playground#s=${shared}`);
  await page.getByText(/≤ [\d,]+ tokens/).waitFor();
  await page.keyboard.press('Control+Enter');
  const shown = async (): Promise<string> => (await page.locator('.playground-text').allTextContents()).join('');
  await page.waitForFunction(() => (document.querySelector('.playground-backdrop')?.textContent ?? '').length > 200);

  await server.kill();
  await page.getByText('The connection is lost.').waitFor();
  const kept = await shown();
  assert.ok(kept.startsWith(prompt) && kept.length > 200);
  const second = await startServer(folder, new URL(server.url).port);
  closing.push(second.kill);
  await page
    .locator('.playground-note')
    .getByText(/^ended by length$/)
    .waitFor();
  const address = await page.getByRole('link', { name: 'Run', exact: true }).getAttribute('href');
  const run = await api.getRun(/run_\w+/.exec(address ?? '')?.[0] ?? '');
  const [result] = run.resultPreview ?? [];
  const [text] = (result as { readonly texts: readonly string[] }).texts;
  assert.equal(await shown(), prompt + text);
  assert.ok(`${prompt}${text}`.startsWith(kept), 'the text of one seed is the same after the restart');
  const { items } = await api.runs.summaries({ limit: 10 });
  assert.equal(items.length, 1);
  await page.reload();
  await page.waitForFunction((expected) => document.querySelector('textarea')?.value === expected, prompt + text);
});

test('the page goes on where it was: no run is lost, and the list is that of the API', { skip }, async () => {
  const { server: first, folder, page, api } = await openProcess();
  await page.goto(`${first.url}/runs`);
  await page.getByText('live', { exact: true }).waitFor();
  const parameters = { max_new_tokens: 900, min_new_tokens: 900 };
  const { id } = await api.startRun('gpt-j:latest', ['Once upon a time', parameters]);
  const row = page.locator(`[data-key="${id}"]`);
  await row.getByText('running').waitFor();

  await first.kill();
  await page.getByText('The server does not answer').waitFor();
  // What was on the page stays.
  await row.waitFor();
  const second = await startServer(folder, new URL(first.url).port);
  closing.push(second.kill);
  assert.equal(second.url, first.url);
  await page.getByText('The server does not answer').waitFor({ state: 'detached' });
  const ended = await api.waitForRun(id);
  assert.equal(ended.runState, 'complete');
  await row.getByText('complete').waitFor();
  const { items } = await api.runs.summaries({ limit: 100 });
  const shown = await page
    .getByRole('row')
    .filter({ hasNot: page.getByRole('columnheader') })
    .evaluateAll((rows) => rows.map((each) => each.getAttribute('data-key')));
  assert.deepEqual(
    shown,
    items.map((run) => run.id),
  );
});
