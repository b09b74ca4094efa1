import {
  auditEntrySchema,
  changeEmailSchema,
  changePasswordSchema,
  confirmEmailSchema,
  deleteAccountSchema,
  forgotPasswordSchema,
  loginSchema,
  paginatedSchema,
  recoveryCodesSchema,
  registerSchema,
  resetPasswordSchema,
  sessionEntrySchema,
  sessionGetSchema,
  setUpSchema,
  tokenCreateSchema,
  tokenGetSchema,
  tokenPatchSchema,
  twoFactorConfirmSchema,
  twoFactorDisableSchema,
  twoFactorGetSchema,
  twoFactorPasswordSchema,
  userAdminPatchSchema,
  userGetDetailedSchema,
  userGetSchema,
  userPatchSchema,
  verifyEmailSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import {
  type Access,
  type Content,
  type DescribedSchema,
  json,
  listSchema,
  NO_CONTENT,
  type Operation,
  PAGE,
  query,
  type Reply,
} from '../../http/openapi/operation.ts';

const MESSAGE = json(z.object({ message: z.string() }), 'What happens next; the same whatever was known.');

/** Most of these take a body and give one reply. */
function account(
  method: Operation['method'],
  path: string,
  summary: string,
  access: Access,
  rest: {
    readonly body?: DescribedSchema;
    readonly status?: number;
    readonly reply?: Reply;
    readonly paged?: boolean;
  } = {},
): Operation {
  const { body, reply } = rest;
  const content: readonly Content[] | undefined = body === undefined ? undefined : [{ schema: body }];
  return {
    method,
    path,
    tag: path.startsWith('/v2/auth') ? 'signing in' : path.startsWith('/v2/tokens') ? 'tokens' : 'users',
    summary,
    access,
    ...(content === undefined ? {} : { body: content }),
    ...(rest.paged === true ? { parameters: PAGE } : {}),
    replies: reply === undefined ? { 204: NO_CONTENT } : { [rest.status ?? 200]: reply },
  };
}

const page = (path: string, summary: string): Operation => ({
  ...account('get', path, summary, 'public'),
  replies: { 200: { description: 'A page.', content: [{ type: 'text/html', schema: { type: 'string' } }] } },
});
const user = json(userGetSchema, 'The user.');
const token = json(tokenGetSchema, 'The token, without its value.');

export const ACCOUNT_OPERATIONS: readonly Operation[] = [
  account('post', '/v2/auth/register', 'Register', 'public', { body: registerSchema, status: 201, reply: user }),
  account('post', '/v2/auth/login', 'Sign in', 'public', {
    body: loginSchema,
    reply: json(
      sessionGetSchema,
      'The session; its cookie is set. Send `csrf_token` as X-CSRF-Token with every write.',
    ),
  }),
  account('get', '/v2/auth/session', 'Look at the present session', 'session', {
    reply: json(sessionGetSchema, 'The session.'),
  }),
  account('post', '/v2/auth/logout', 'Sign out', 'session'),
  account('get', '/v2/auth/sessions', 'List the sessions of the user', 'session', {
    reply: json(listSchema(sessionEntrySchema), 'Sessions.'),
  }),
  account('delete', '/v2/auth/sessions/:id', 'End a session', 'session'),
  account('post', '/v2/auth/set-up', 'Make the first owner, by the link printed at the first start', 'public', {
    body: setUpSchema,
    reply: user,
  }),
  account('post', '/v2/auth/verify-email', 'Verify an address, by the link sent to it', 'public', {
    body: verifyEmailSchema,
    reply: user,
  }),
  account('post', '/v2/auth/verify-email/send', 'Send another link to verify', 'session', {
    status: 202,
    reply: MESSAGE,
  }),
  account('post', '/v2/auth/forgot-password', 'Ask for a link to set a new password', 'public', {
    body: forgotPasswordSchema,
    status: 202,
    reply: MESSAGE,
  }),
  account('post', '/v2/auth/reset-password', 'Set a new password, by that link', 'public', {
    body: resetPasswordSchema,
  }),
  page('/v2/auth/set-up', 'The page that the printed link leads to'),
  page('/v2/auth/verify-email', 'The page that a link to verify leads to'),
  page('/v2/auth/reset-password', 'The page that a link to set a new password leads to'),
  account('post', '/v2/auth/email', 'Ask for a link to change to another address', 'session', {
    body: changeEmailSchema,
    status: 202,
    reply: MESSAGE,
  }),
  account('post', '/v2/auth/change-email', 'Change to an address, by the link sent to it', 'public', {
    body: confirmEmailSchema,
    reply: user,
  }),
  page('/v2/auth/change-email', 'The page that a link to change to an address leads to'),
  account('post', '/v2/auth/delete-account', 'Delete the own account with everything it holds', 'session', {
    body: deleteAccountSchema,
  }),
  account('post', '/v2/auth/password', 'Change the password; ends the other sessions', 'session', {
    body: changePasswordSchema,
  }),
  account('post', '/v2/auth/two-factor', 'Begin two-factor sign-in', 'session', {
    body: twoFactorPasswordSchema,
    reply: json(twoFactorGetSchema, 'What the authenticator app needs.'),
  }),
  account('post', '/v2/auth/two-factor/confirm', 'Turn it on, with a code', 'session', {
    body: twoFactorConfirmSchema,
    reply: json(recoveryCodesSchema, 'Codes for a lost device, shown this once.'),
  }),
  account('post', '/v2/auth/two-factor/disable', 'Turn it off', 'session', { body: twoFactorDisableSchema }),

  account('get', '/v2/users/me', 'Look at oneself', 'token', {
    reply: json(userGetDetailedSchema, 'The user, with the tokens that may be seen.'),
  }),
  account('patch', '/v2/users/me', 'Change what is known of oneself', 'session', {
    body: userPatchSchema,
    reply: user,
  }),
  account('get', '/v2/users', 'List users', 'admin', {
    paged: true,
    reply: json(paginatedSchema(userGetSchema), 'A page of users.'),
  }),
  account('get', '/v2/users/:id', 'Look at a user', 'admin', { reply: user }),
  account('patch', '/v2/users/:id', "Change a user's role, disable or enable an account", 'admin', {
    body: userAdminPatchSchema,
    reply: user,
  }),
  account('delete', '/v2/users/:id', 'Delete an account with everything it holds', 'admin'),
  {
    ...account('get', '/v2/audit-log', 'Read the audit log', 'admin', {
      reply: json(paginatedSchema(auditEntrySchema), 'A page of entries.'),
    }),
    parameters: [...PAGE, query('user_id', 'By this user alone.'), query('action', 'Of this kind alone.')],
  },

  account('post', '/v2/tokens', 'Make an API token', 'token', {
    body: tokenCreateSchema,
    status: 201,
    reply: json(tokenGetSchema, 'The token with its whole value, this once.'),
  }),
  account('get', '/v2/tokens', 'List API tokens', 'token', {
    paged: true,
    reply: json(paginatedSchema(tokenGetSchema), 'A page of tokens, without their values.'),
  }),
  account('get', '/v2/tokens/:id', 'Look at an API token', 'token', { reply: token }),
  account('patch', '/v2/tokens/:id', 'Rename, disable or limit an API token', 'token', {
    body: tokenPatchSchema,
    reply: token,
  }),
  account('delete', '/v2/tokens/:id', 'Delete an API token', 'token'),
];
