/** A server process that is killed while a page is open, and started again on the same folder and port. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { chromium } from 'playwright-core';
import { findChromium, SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const TOKEN = 'dashboard-token-0123456789';
const COMMAND = fileURLToPath(new URL('../../../apps/cli/bin/gptj.mjs', import.meta.url));
const MAX_WAIT_MS = 60_000;
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

test('the page goes on where it was: no run is lost, and the list is that of the API', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-killed-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const first = await startServer(folder, '0');
  closing.push(first.kill);
  const browser = await chromium.launch({ executablePath: findChromium() ?? '', args: ['--no-sandbox'] });
  closing.push(() => browser.close());
  const context = await browser.newContext({ locale: 'en-GB' });
  context.setDefaultTimeout(MAX_WAIT_MS);
  const data = { login: OWNER.username, password: OWNER.password };
  await context.request.post(`${first.url}/v2/auth/login`, { data });
  const api = new PipelineCloud({ token: TOKEN, url: first.url });
  const page = await context.newPage();
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
