import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eq } from 'drizzle-orm';
import { NOW, openTestApp } from '../../testing/test-app.ts';
import { users } from '../identity-tables.ts';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../users/first-user.ts';
import { mailDisabledWebhook } from './mail-disabled-webhook.ts';

const DISABLED = { webhookId: 'webhook_1', projectId: DEFAULT_PROJECT_ID, host: 'hooks.example', reason: 'no reply' };

test('the owner of a project learns by mail that a webhook was disabled and why, at a verified address only', async () => {
  const it = await openTestApp();
  const verify = (verifiedAt: Date | null) =>
    it.store.db.update(users).set({ verifiedAt }).where(eq(users.id, FIRST_USER_ID));
  try {
    await verify(null);
    await mailDisabledWebhook(it.accounts, DISABLED);
    assert.equal(it.mails.length, 0);
    await verify(NOW);
    await mailDisabledWebhook(it.accounts, DISABLED);
    assert.equal(it.mails.length, 1);
    assert.match(it.mails[0]?.text ?? '', /webhook_1 to hooks\.example.*disabled: no reply.*is_enabled/s);
  } finally {
    await it.close();
  }
});
