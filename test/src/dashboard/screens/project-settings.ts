/** The pages of a project's settings: tokens, members, plan. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { sessionOf } from '../accounts.ts';
import { type Account, type Dashboard, OWNER } from '../dashboard.ts';
import { defineScreens, type Screen } from '../screen.ts';

const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const password = 'correct horse battery 7A';
const confirmation = { password: OWNER.password };

async function account(dashboard: Dashboard, username: string): Promise<Account> {
  return await dashboard.register({ email: `${username}@example.com`, username, password });
}

/** The screen of another user than the owner, who is registered for it. */
function as(username: string): Pick<Screen, 'as' | 'seed'> {
  return {
    as: { email: `${username}@example.com`, username, password },
    async seed(_, dashboard) {
      await account(dashboard, username);
      return undefined;
    },
  };
}

const holdReplies = (pattern: string) => (page: Page) => page.route(pattern, () => new Promise<void>(() => undefined));
const failReplies = (pattern: string) => (page: Page) =>
  page.route(pattern, (route) =>
    route.fulfill({
      status: 500,
      json: {
        detail: {
          message: 'the store did not answer within 5 s',
          code: 'internal_error',
          remedy: 'try again; if it fails again, give the operator the request id',
          request_id: 'req_7f3a91c2d4e84b0f',
        },
      },
    }),
  );

defineScreens('tokens', [
  {
    state: 'list',
    path: '/tokens',
    async seed(api) {
      const day = 86_400_000;
      await api.tokens.create({ name: 'notebook', scopes: ['run', 'read'] }, { confirmation });
      const ci = await api.tokens.create({ name: 'ci', scopes: ['run'] }, { confirmation });
      await api.tokens.rotate(ci.id, { overlapSeconds: 3600 }, { confirmation });
      const ending = await api.tokens.create(
        { name: 'demo on Friday', scopes: ['read'], expiresAt: new Date(Date.now() + 5 * day) },
        { confirmation },
      );
      await api.tokens.change(ending.id, { isEnabled: false });
      await api.tokens.create({ name: 'terraform', scopes: ['admin'] }, { confirmation });
      for (let run = 0; run < 3; run++) {
        await api.runPipeline(PIPELINE, ['Once upon a time', { max_new_tokens: 2 + run, seed: run }]);
      }
      return undefined;
    },
  },
  {
    state: 'empty',
    path: '/tokens',
    ...as('mary'),
  },
  {
    state: 'long',
    path: '/tokens',
    as: { email: 'tokens@example.com', username: 'collector-of-tokens', password },
    async seed(_, dashboard) {
      const member = await dashboard.register({
        email: 'tokens@example.com',
        username: 'collector-of-tokens',
        password,
      });
      const api = await sessionOf(dashboard, member);
      const long = 'a program whose name is as long as a name may be, with 🦙 and عربي, and then goes on';
      for (let at = 0; at < 40; at++) await api.tokens.create({ name: at % 9 === 0 ? long : `worker-${at}` });
      return undefined;
    },
  },
  { state: 'loading', path: '/tokens', isLoading: true, arrange: holdReplies('**/v2/tokens?*') },
  { state: 'error', path: '/tokens', arrange: failReplies('**/v2/tokens?*') },
  { state: 'new', path: '/tokens', act: (page) => page.getByRole('button', { name: 'New token' }).click() },
  {
    state: 'value',
    path: '/tokens',
    async act(page) {
      await page.getByRole('button', { name: 'New token' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('laptop');
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByText('I have copied it').waitFor();
    },
  },
  {
    state: 'menu',
    path: '/tokens',
    act: (page) => page.getByRole('button', { name: 'Actions of terraform' }).click(),
  },
  {
    state: 'rotate',
    path: '/tokens',
    async act(page) {
      await page.getByRole('button', { name: 'Actions of terraform' }).click();
      await page.getByRole('menuitem', { name: 'Rotate' }).click();
    },
  },
  {
    state: 'delete',
    path: '/tokens',
    async act(page) {
      await page.getByRole('button', { name: 'Actions of GPTJ_API_TOKEN' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
    },
  },
]);

defineScreens('members', [
  { state: 'alone', path: '/members', ...as('hermit') },
  {
    state: 'list',
    path: '/members',
    async seed(_, dashboard) {
      const owner = await sessionOf(dashboard, OWNER);
      const project = await owner.projects.create('Poems of the day');
      for (const username of ['percy', 'mary-wollstonecraft', 'lord-byron']) {
        const member = await account(dashboard, username);
        await owner.projects.invite(project.id, { username });
        const theirs = await sessionOf(dashboard, member);
        const [invitation] = await theirs.invitations.list();
        assert.ok(invitation !== undefined);
        await theirs.invitations.accept(invitation.id);
      }
      await owner.projects.invite(project.id, { email: 'claire@example.com' });
      return `/members?project=${project.id}`;
    },
  },
  {
    state: 'many',
    path: '/members',
    arrange: (page) =>
      page.route('**/v2/projects/*/members', async (route) => {
        const reply: { readonly data: readonly object[] } = await (await route.fetch()).json();
        const others = Array.from({ length: 199 }, (_, at) => ({
          ...reply.data[0],
          user_id: `user_${String(at + 1).padStart(32, '0')}`,
          username: at % 9 === 4 ? 'a-name-of-24-characters-' : `poet-${at}`,
          role: 'member',
        }));
        await route.fulfill({ json: { ...reply, data: [...reply.data, ...others] } });
      }),
    act: (page) => page.getByText('1–50 of 200').waitFor(),
  },
  {
    state: 'invited',
    path: '/members',
    as: { email: 'john-keats@example.com', username: 'john-keats', password },
    async seed(_, dashboard) {
      await account(dashboard, 'john-keats');
      const owner = await sessionOf(dashboard, OWNER);
      const project = await owner.projects.create('Odes');
      await owner.projects.invite(project.id, { username: 'john-keats' });
      return undefined;
    },
  },
  {
    state: 'loading',
    path: '/members',
    isLoading: true,
    arrange: holdReplies('**/v2/projects/*/members'),
    widths: [1440],
  },
  { state: 'error', path: '/members', arrange: failReplies('**/v2/projects/*/members') },
  {
    state: 'remove',
    path: '/members',
    async seed(_, dashboard) {
      const owner = await sessionOf(dashboard, OWNER);
      const project = await owner.projects.create('Odes');
      const leaver = await account(dashboard, 'leaver');
      await owner.projects.invite(project.id, { username: leaver.username });
      const theirs = await sessionOf(dashboard, leaver);
      const [invitation] = await theirs.invitations.list();
      await theirs.invitations.accept(invitation?.id ?? '');
      return `/members?project=${project.id}`;
    },
    async act(page) {
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('alertdialog').waitFor();
    },
  },
  {
    state: 'new-project',
    path: '/members',
    act: (page) => page.getByRole('button', { name: 'New project' }).click(),
  },
]);

defineScreens('plan', [
  { state: 'owner', path: '/plan' },
  { state: 'free', path: '/plan', ...as('thrifty') },
  {
    state: 'change',
    path: '/plan',
    ...as('curious'),
    act: (page) => page.getByRole('button', { name: 'Change to Developer' }).click(),
  },
  {
    state: 'requested',
    path: '/plan',
    as: { email: 'ambitious@example.com', username: 'ambitious', password },
    async seed(_, dashboard) {
      const member = await account(dashboard, 'ambitious');
      await (await sessionOf(dashboard, member)).plans.change('developer');
      return undefined;
    },
  },
  { state: 'loading', path: '/plan', isLoading: true, arrange: holdReplies('**/v2/plans') },
  { state: 'error', path: '/plan', arrange: failReplies('**/v2/plans') },
]);
