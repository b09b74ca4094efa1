/** Mails that tell users of sensitive changes of their account: the users can then undo what they did not do. */
import type { MailDeps } from './account-deps.ts';
import type { User } from './users/user.ts';

interface Notice {
  readonly subject: string;
  /** What happened, with `{placeholders}`, and what to do when it was someone else. */
  readonly text: string;
}

const IF_NOT_YOU = 'If that was not you, set a new password by the link that "forgot password" sends; that ends';

const NOTICES = {
  password_changed: {
    subject: 'Your password was changed',
    text: `the password of your account was changed. ${IF_NOT_YOU} every session and token.`,
  },
  password_reset: {
    subject: 'Your account was recovered',
    text: 'a new password was set by a mailed link. What had access to your account before has ended:\n\n{ended}\n\nWhat you still need, add again.',
  },
  two_factor_on: {
    subject: 'Two-factor sign-in was turned on',
    text: `two-factor sign-in was turned on; the other sessions have ended. If that was not you, ask an owner of the server.`,
  },
  two_factor_off: {
    subject: 'Two-factor sign-in was turned off',
    text: `two-factor sign-in was turned off; the other sessions have ended. ${IF_NOT_YOU} every session and token.`,
  },
  recovery_code_used: {
    subject: 'A recovery code was used',
    text: `a recovery code was used in place of a code of your authenticator app. ${IF_NOT_YOU} every session and token.`,
  },
  recovery_codes_renewed: {
    subject: 'New recovery codes were made',
    text: `new recovery codes were made for your account; the earlier ones have ended. ${IF_NOT_YOU} every session and token.`,
  },
  token_created: {
    subject: 'An API token was created',
    text: `the API token "{name}" with the scopes {scopes} was created. If that was not you, delete it (DELETE /v2/tokens/{id}), and change your password.`,
  },
  token_rotated: {
    subject: 'An API token got another value',
    text: `the API token "{name}" got another value. If that was not you, delete it (DELETE /v2/tokens/{id}), and change your password.`,
  },
  identity_unlinked: {
    subject: 'A way to sign in was removed',
    text: `an account at {provider} no longer signs in to your account. ${IF_NOT_YOU} every session and token.`,
  },
  member_joined: {
    subject: 'A member joined your project',
    text: '{member} accepted an invitation and is now a member of one of your projects. If you did not send it, remove the member, and change your password.',
  },
  webhook_added: {
    subject: 'A webhook was added to your project',
    text: `a webhook of one of your projects now sends the ends of runs to {host}. If that was not you, delete it (DELETE /v2/webhooks/{id}), and change your password.`,
  },
  role_changed: {
    subject: 'Your role on the server was changed',
    text: 'an owner of the server made you {role}.',
  },
} as const satisfies Readonly<Record<string, Notice>>;

export type NoticeKind = keyof typeof NOTICES;

/** Mail a notice to a user. Values stand for the placeholders of its text. */
export function notify(
  { mailer, publicUrl }: Pick<MailDeps, 'mailer' | 'publicUrl'>,
  user: Pick<User, 'email' | 'username'>,
  kind: NoticeKind,
  values: Readonly<Record<string, string>> = {},
): void {
  const { subject, text } = NOTICES[kind];
  const filled = text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  mailer.send({ to: user.email, subject, text: `Hello ${user.username},\n\non ${publicUrl()}, ${filled}\n` });
}
