import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { auditEntrySchema, paginatedSchema, projectGetDetailedSchema } from '@gptj-cloud/protocol';
import { type Browser, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { addMember } from './project-store.ts';

let it: TestApp;
before(async () => {
  let ms = NOW.getTime();
  it = await openTestApp({ clock: () => new Date(++ms) });
});
after(() => it.close());

const pageSchema = paginatedSchema(auditEntrySchema);

const entries = async (by: Browser, id: string, query = '') => {
  const reply = await by.ask(`/v2/projects/${id}/audit-log${query}`);
  assert.equal(reply.status, 200, await reply.clone().text());
  return pageSchema.parse(await reply.json()).data;
};

test('the owner of a project reads the changes in it, and no others', async () => {
  const owner = await registerAndSignIn(it, 'percy');
  const other = await registerAndSignIn(it, 'mallory');
  const made = await owner.ask('/v2/projects', 'POST', { name: 'shared' });
  const { id } = projectGetDetailedSchema.parse(await made.json());
  const inProject = { 'x-project-id': id };
  await owner.ask('/v2/webhooks', 'POST', { url: 'https://example.com/hook' }, inProject);
  await owner.ask('/v2/webhooks', 'POST', { url: 'https://example.com/elsewhere' });
  await other.ask('/v2/webhooks', 'POST', { url: 'https://example.com/other' });
  const found = await entries(owner, id);
  assert.deepEqual(
    found.map(({ action, user_id: user }) => [action, user]),
    [
      ['webhook.create', owner.user.id],
      ['project.create', owner.user.id],
    ],
  );
  assert.equal((await entries(owner, id, '?action=project.create')).length, 1);
  assert.equal(await refusal(await other.ask(`/v2/projects/${id}/audit-log`)), '404 not_found');
});

test('a member, and a token without the scope admin, do not read it', async () => {
  const owner = await registerAndSignIn(it, 'mary');
  const member = await registerAndSignIn(it, 'lord');
  const made = await owner.ask('/v2/projects', 'POST', { name: 'shared' });
  const { id } = projectGetDetailedSchema.parse(await made.json());
  await addMember(it.store.db, id, member.user.id, NOW);
  assert.equal(await refusal(await member.ask(`/v2/projects/${id}/audit-log`)), '403 project_owner_required');
  const token: unknown = await (
    await owner.ask('/v2/tokens', 'POST', { type: 'editor' }, { 'x-project-id': id })
  ).json();
  const authorization = `Bearer ${Reflect.get(Object(token), 'value')}`;
  assert.equal(
    await refusal(await it.app.request(`/v2/projects/${id}/audit-log`, { headers: { authorization } })),
    '403 scope_missing',
  );
});
