import type { AccountDeps } from '../account-deps.ts';
import { findVerifiedOwnerEmail } from './project-store.ts';

/** Inform the owner of a project that one of its webhooks was disabled. Only a verified address gets mail. */
export async function mailDisabledWebhook(
  { db, mailer, publicUrl }: Pick<AccountDeps, 'db' | 'mailer' | 'publicUrl'>,
  disabled: { readonly webhookId: string; readonly projectId: string; readonly host: string; readonly reason: string },
): Promise<void> {
  const to = await findVerifiedOwnerEmail(db, disabled.projectId);
  if (to === null) return;
  const { webhookId, projectId, host, reason } = disabled;
  mailer.send({
    to,
    subject: 'A webhook was disabled',
    text: `Hello,\n\nthe webhook ${webhookId} to ${host}, in the project ${projectId} on ${publicUrl()}, was disabled: ${reason}.\n\nIts messages are not sent any more. When the receiver works again, enable the webhook (PATCH /v2/webhooks/${webhookId} with {"is_enabled": true}) and replay the deliveries that you need.\n`,
  });
}
