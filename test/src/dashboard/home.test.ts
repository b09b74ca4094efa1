/** The first visit, and Home: the token of a new account, and the snippets, which are run as a user would run them. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { type Account, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);
const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'no python3 here';
const dashboard = useDashboard({ ownerExists: false });

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-snippets-'));
  // Programs of a user have their packages beside them.
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

const TOKEN = /gptj_[\w-]{32}/;

async function fillForm(page: Page, username: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(`${username}@example.com`);
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill('Ozymandias 1818');
}

test('a first visitor comes from the printed link to a streamed text in five actions', { skip }, async () => {
  const page = await dashboard().open(dashboard().setUpLink);
  const actions = [
    () => fillForm(page, 'owner'),
    () => page.getByRole('button', { name: 'Create the account' }).click(),
    () => page.getByRole('link', { name: 'Playground', exact: true }).click(),
    () => page.getByRole('button', { name: /^A story/ }).click(),
    () => page.getByRole('button', { name: 'Generate' }).click(),
  ];
  for (const act of actions) await act();
  // The text arrives while the run goes on: with the first tokens, the button is Stop.
  const grown = await page.waitForFunction(() => {
    const text = document.querySelector('textarea')?.value ?? '';
    const isOpen = [...document.querySelectorAll('button')].some(({ textContent }) => textContent === 'Stop');
    return isOpen && /One morning.+/.exec(text)?.[0];
  });
  assert.notEqual(await grown.jsonValue(), '');
});

/** Home as it is after a registration: with the token of the new account. */
async function register(): Promise<{ readonly page: Page; readonly token: string }> {
  const page = await dashboard().open('/register');
  await fillForm(page, 'ann');
  await page.getByRole('button', { name: 'Register' }).click();
  const shown = await page.getByRole('region', { name: 'Your API token' }).getByText(TOKEN).textContent();
  const token = TOKEN.exec(shown ?? '')?.[0];
  assert.ok(token !== undefined);
  return { page, token };
}

/** The text of a snippet as the page shows it. */
async function readSnippet(page: Page, name: string): Promise<string> {
  await page.getByRole('tab', { name, exact: true }).click();
  return (await page.getByRole('tabpanel').locator('pre').textContent()) ?? '';
}

test('a new account sees its token once; every snippet runs unchanged with it', { skip }, async (context) => {
  const { page, token } = await register();
  const environment = { PATH: process.env.PATH ?? '', PYTHONPATH: join(repository, 'clients/python') };
  const started = async (program: string, args: readonly string[]): Promise<string> =>
    (await run(program, [...args], { cwd: folder, env: environment })).stdout;

  const curl = await readSnippet(page, 'curl');
  assert.ok(curl.includes(token));
  const reply: unknown = JSON.parse(await started('bash', ['-c', curl]));
  const preview = (reply as { readonly result_preview: unknown }).result_preview;
  const text = String([preview].flat(Number.POSITIVE_INFINITY)[0]);
  assert.ok(text.length > 40);

  for (const name of ['TypeScript', 'OpenAI']) {
    const file = join(folder, `${name}.mjs`);
    await writeFile(file, await readSnippet(page, name));
    const printed = await started(process.execPath, [file]);
    assert.ok(printed.includes(text.slice(0, 40)), `${name} printed ${printed} not ${text}`);
  }

  if (noPython !== false) context.diagnostic(`Python and the original client: skipped, ${noPython}`);
  for (const name of noPython === false ? ['Python', 'Original client'] : []) {
    const file = join(folder, 'snippet.py');
    await writeFile(file, await readSnippet(page, name));
    const printed = await started('python3', [file]);
    assert.ok(printed.includes(text.slice(0, 40)), `${name} printed ${printed} not ${text}`);
  }

  await page.getByRole('button', { name: 'Run here' }).click();
  await page.getByRole('status').getByText('Open the run').waitFor();

  await page.reload();
  await page.getByRole('button', { name: 'Rotate' }).waitFor();
  assert.doesNotMatch((await page.locator('body').textContent()) ?? '', TOKEN);
  const stored = await page.evaluate(() =>
    JSON.stringify([localStorage, sessionStorage, history.state, location.href]),
  );
  assert.ok(!stored.includes(token));
  assert.ok(!dashboard().log.join('').includes(token));
});

test('on a phone, tabs beyond an end of their row fade out there, and the last one is whole when it is reached', {
  skip,
}, async () => {
  const reader: Account = { email: 'reader@example.com', username: 'reader', password: 'Ozymandias 1818' };
  await dashboard().register(reader);
  const page = await dashboard().open('/', { as: reader, width: 390 });
  const tabs = page.getByRole('tablist', { name: 'Languages' });
  await tabs.waitFor();
  const cuts = (): Promise<readonly string[]> =>
    tabs.evaluate((list) =>
      ['start', 'end'].map((end) => getComputedStyle(list).getPropertyValue(`--tabs-cut-${end}`)),
    );
  assert.ok(await tabs.evaluate((list) => list.scrollWidth > list.clientWidth), 'the tabs have room');
  assert.deepEqual(await cuts(), ['0px', '32px']);
  await tabs.evaluate(async (list) => {
    list.scrollLeft = list.scrollWidth;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
  assert.deepEqual(await cuts(), ['32px', '0px']);
});
