/** Access that is taken back ends at the next request: tokens, their former values, sessions and accounts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineCloud } from '@gptj-cloud/sdk';
import type { BrowserContext, Page } from 'playwright-core';
import { sessionOf } from './accounts.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { type Account, OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const HOUR_MS = 3_600_000;
let now = new Date();
const dashboard = useDashboard({ clock: () => now });

/** The outcome of a program's request with a token: `200`, or the status, code and remedy of the refusal. */
async function use(token: string): Promise<string> {
  const reply = await fetch(`${dashboard().url}/v2/users/me`, { headers: { authorization: `Bearer ${token}` } });
  if (reply.ok) return String(reply.status);
  const { detail } = (await reply.json()) as { readonly detail: { readonly code: string; readonly remedy: string } };
  return `${reply.status} ${detail.code}: ${detail.remedy}`;
}

/** The number of entries of an action in the audit log. */
async function audited(action: string, subject?: string): Promise<number> {
  const { items } = await dashboard().api.admin.auditLog({ action, limit: 100 });
  return items.filter((entry) => subject === undefined || entry.subject === subject).length;
}

async function act(page: Page, token: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions of ${token}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

async function takeValue(page: Page): Promise<string> {
  const value = (await page.getByText(/^gptj_[\w-]{32}$/).textContent()) ?? '';
  // Only its own button closes the dialog.
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'I have copied it' }).click();
  return value;
}

test('a token is refused from the next request on, and its former value when the overlap ends', { skip }, async () => {
  const page = await dashboard().open('/tokens', { as: OWNER });
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill('loop');
  await page.getByRole('button', { name: 'Create' }).click();
  const first = await takeValue(page);
  assert.equal(await use(first), '200');
  assert.ok(!(await page.content()).includes(first));
  const { items } = await dashboard().api.tokens.list();
  const id = items.find(({ name }) => name === 'loop')?.id;
  assert.ok(id !== undefined);

  await act(page, 'loop', 'Disable');
  await page.getByText('loop is disabled').first().waitFor();
  assert.equal(await use(first), '401 token_disabled: enable it again, or use another token');
  await act(page, 'loop', 'Enable');
  await page.getByText('loop is enabled').first().waitFor();
  assert.equal(await use(first), '200');

  await act(page, 'loop', 'Rotate');
  await page.getByRole('button', { name: 'Rotate', exact: true }).click();
  const second = await takeValue(page);
  assert.notEqual(second, first);
  await page.getByText('former value ends').waitFor();
  now = new Date(now.getTime() + HOUR_MS - 1000);
  assert.deepEqual([await use(first), await use(second)], ['200', '200']);
  now = new Date(now.getTime() + 1000);
  assert.match(await use(first), /^401 token_replaced: use the value that the rotation returned/);
  assert.equal(await use(second), '200');

  // It was used a moment ago, so that its name has to be typed.
  await page.reload();
  await act(page, 'loop', 'Delete');
  assert.ok(await page.getByRole('button', { name: 'Delete', exact: true }).isDisabled());
  await page.getByLabel('Type loop to confirm').fill('loop');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Actions of loop' }).waitFor({ state: 'detached' });
  assert.match(await use(second), /^401 token_unknown/);
  assert.deepEqual(
    [
      await audited('token.create', id),
      await audited('token.update', id),
      await audited('token.rotate', id),
      await audited('token.delete', id),
    ],
    [1, 2, 1, 1],
  );
});

test('a change asks for the password where the sign-in is some time ago', { skip }, async () => {
  const page = await dashboard().open('/tokens', { as: OWNER });
  now = new Date(now.getTime() + HOUR_MS);
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill('later');
  await page.getByRole('button', { name: 'Create' }).click();
  const question = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await question.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await question.getByRole('button', { name: 'Confirm' }).click();
  assert.match(await takeValue(page), /^gptj_/);
});

test('the list of sessions signs another browser out', { skip }, async () => {
  const other = await dashboard().open('/runs', { as: OWNER });
  await other.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  const page = await dashboard().open('/account/sessions', { as: OWNER });
  await page.getByRole('button', { name: 'End', exact: true }).first().waitFor();
  const before = await audited('session.end');
  const sessions = await page.getByRole('button', { name: 'End', exact: true }).count();
  await page.getByRole('button', { name: /other sessions?$/ }).click();
  await page
    .getByText(/ended\.$/)
    .first()
    .waitFor();
  await other.getByRole('link', { name: 'Plan' }).click();
  await other.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  assert.equal(await audited('session.end'), before + sessions);
  // Signing in again goes on where the page was.
  await other.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.getByRole('heading', { name: 'Plan', level: 1 }).waitFor();
});

test('the next click of a disabled user says that the account is disabled', { skip }, async () => {
  const percy: Account = { email: 'percy@example.com', username: 'percy', password: 'Ozymandias 1818' };
  await dashboard().register(percy);
  const page = await dashboard().open('/plan', { as: percy });
  await page.getByRole('heading', { name: 'Plan', level: 1 }).waitFor();
  const owner = await sessionOf(dashboard(), OWNER);
  const { items } = await owner.users.list();
  const id = items.find(({ username }) => username === 'percy')?.id ?? '';
  await owner.users.change(id, { disabled: true });
  await page.getByRole('link', { name: 'API tokens' }).click();
  await page.getByRole('heading', { name: 'This account is disabled' }).waitFor();
  assert.equal(await audited('user.disable', id), 1);
});

/** Home as it is after a registration: with the value of the new token. */
async function register(context: BrowserContext, account: Account): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${dashboard().url}/register`);
  await page.getByLabel('E-mail address').fill(account.email);
  await page.getByLabel('Username').fill(account.username);
  await page.getByLabel('Password', { exact: true }).fill(account.password);
  await page.getByRole('button', { name: 'Register' }).click();
  await page
    .getByRole('region', { name: 'Your API token' })
    .getByText(/gptj_[\w-]{32}/)
    .waitFor();
  return page;
}

test('"Run here" fails at once with a token that another tab has disabled, and says what to do', { skip }, async () => {
  const context = await dashboard().context();
  const ada: Account = { email: 'ada@example.com', username: 'ada', password: 'Ozymandias 1818' };
  const home = await register(context, ada);
  await home.getByRole('button', { name: 'Run here' }).click();
  await home.getByRole('status').getByText('Open the run').waitFor();
  const { items } = await (await sessionOf(dashboard(), ada)).tokens.list();
  const [token = assert.fail('expected a token')] = items;

  const other = await context.newPage();
  await other.goto(`${dashboard().url}/tokens`);
  await act(other, token.name, 'Disable');
  await other.getByText(`${token.name} is disabled`).first().waitFor();
  const sent: string[] = [];
  home.on('request', (request) => sent.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await home.getByRole('button', { name: 'Run here' }).click();
  const refusal = home.getByRole('alert').filter({ hasText: 'disabled' });
  await refusal.getByText(/enable it again, or use another token/i).waitFor();
  assert.equal(sent.filter((request) => request === 'POST /v2/runs').length, 1, 'no second try');
});

test('"Run here" after another tab signed out asks to sign in, and then runs', { skip }, async () => {
  const context = await dashboard().context({ as: OWNER });
  const [home, other] = [await context.newPage(), await context.newPage()];
  await home.goto(dashboard().url);
  await home.getByRole('button', { name: 'Run here' }).waitFor();
  await other.goto(`${dashboard().url}/runs`);
  await other.getByRole('button', { name: 'Account of owner' }).click();
  await other.getByRole('menuitem', { name: 'Sign out' }).click();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  const dialog = home.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await home.getByRole('button', { name: 'Run here' }).click();
  await home.getByRole('status').getByText('Open the run').waitFor();
});

test('"Run here" runs in the project of its own tab, whatever project another tab shows', { skip }, async () => {
  const api = await sessionOf(dashboard(), OWNER);
  const second = await api.projects.create('second');
  const context = await dashboard().context({ as: OWNER });
  const [home, other] = [await context.newPage(), await context.newPage()];
  await home.goto(dashboard().url);
  await home.getByRole('button', { name: 'Run here' }).waitFor();
  await other.goto(dashboard().url);
  await other.getByRole('button', { name: /^Project .*: switch$/ }).click();
  await other
    .getByRole('menuitem', { name: 'second' })
    .or(other.getByRole('menuitemradio', { name: 'second' }))
    .click();
  await other.waitForURL((url) => url.searchParams.get('project') === second.id);
  const runsOf = async (client: PipelineCloud) => (await client.runs.summaries({})).total;
  const counts = async () => [await runsOf(api), await runsOf(api.withProject(second.id))];
  const [first = 0] = await counts();
  await home.getByRole('button', { name: 'Run here' }).click();
  await home.getByRole('status').getByText('Open the run').waitFor();
  assert.deepEqual(await counts(), [first + 1, 0]);
  await other.getByRole('button', { name: 'Run here' }).click();
  await other.getByRole('status').getByText('Open the run').waitFor();
  assert.deepEqual(await counts(), [first + 1, 1]);
});
