/** Registration and the links that confirm e-mail addresses and reset passwords. */
import {
  confirmEmailSchema,
  forgotPasswordSchema,
  recoverySchema,
  registerSchema,
  resetPasswordSchema,
  setUpSchema,
  userGetSchema,
  verifyEmailSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import { jsonBody } from '../../http/json-body.ts';
import { HTML_PAGE, json, type Reply } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { confirmEmailChange } from '../../identity/users/change-email.ts';
import { resetPassword, sendPasswordReset } from '../../identity/users/recover-account.ts';
import { register, resendVerification, verifyEmail } from '../../identity/users/registration.ts';
import { setUp } from '../../identity/users/set-up-owner.ts';
import { toUserGet } from '../../identity/users/user.ts';
import { type ApiRoute, PUBLIC, PUBLIC_OR_SESSION, UNVERIFIED_SESSION } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { linkPage } from './link-page.ts';
import { setDeviceCookie } from './session-reply.ts';

/** The replies to requests for mail say the same whether or not the address has an account. */
export const MAIL_SENT: Reply<{ readonly message: string }> = json(
  z.object({ message: z.string() }),
  'What happens next; the same for every address.',
);

const LINK_PAGES = [
  ['set-up', 'The page that the printed link opens'],
  ['verify-email', 'The page that a link to verify an address opens'],
  ['reset-password', 'The page that a link to set a new password opens'],
  ['change-email', 'The page that a link to change the address opens'],
] as const;

const userReply = json(userGetSchema, 'The user.');
const record = { errors: pipelineCloudErrors, tag: 'signing in' } as const;
const publicPost = { ...record, method: 'post', access: PUBLIC } as const;

export function accountRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...publicPost,
      path: '/v2/auth/register',
      summary: 'Register',
      body: jsonBody(registerSchema),
      bodyExample: { email: 'ada@example.org', username: 'ada', password: 'Seven-green-boats-9' },
      description:
        'Where the server sends mail, the reply is 202 whether or not the address has an account; the account begins when the address is confirmed by the mailed link.',
      replies: { 201: userReply, 202: MAIL_SENT },
      async handle({ body, caller }, c) {
        const user = await register(deps, body, caller);
        if (user !== null) return toUserGet(user, deps.plans);
        return c.json({ message: 'a mail to that address says how to go on' }, 202);
      },
    }),
    defineRoute({
      ...publicPost,
      path: '/v2/auth/set-up',
      summary: 'Create the first owner, by the link printed at the first start',
      body: jsonBody(setUpSchema),
      bodyExample: {
        token: 'TOKEN_OF_THE_LINK',
        email: 'ada@example.org',
        username: 'ada',
        password: 'Seven-green-boats-9',
      },
      replies: { 200: userReply },
      handle: async ({ body, caller }) => toUserGet(await setUp(deps, body, caller), deps.plans),
    }),
    ...emailRoutes(deps),
    ...passwordResetRoutes(deps),
    ...LINK_PAGES.map(([kind, summary]) =>
      defineRoute({
        ...record,
        method: 'get',
        path: `/v2/auth/${kind}`,
        access: PUBLIC,
        summary,
        replies: { 200: HTML_PAGE },
        handle: () => linkPage(kind),
      }),
    ),
  ];
}

function emailRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...publicPost,
      path: '/v2/auth/verify-email',
      access: PUBLIC_OR_SESSION,
      summary: 'Verify an e-mail address, by the link sent to it and the password or a session of the account',
      body: jsonBody(verifyEmailSchema),
      bodyExample: { token: 'TOKEN_OF_THE_LINK' },
      replies: { 200: userReply },
      handle: async ({ body, signedIn, caller }) =>
        toUserGet(await verifyEmail(deps, { ...body, signedIn }, caller), deps.plans),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/auth/verify-email/send',
      access: UNVERIFIED_SESSION,
      summary: 'Send another link to verify the address',
      replies: { 202: MAIL_SENT },
      async handle({ signedIn: { user } }) {
        await resendVerification(deps, user);
        return { message: 'a link is on its way, unless the address is verified already' };
      },
    }),
    defineRoute({
      ...publicPost,
      path: '/v2/auth/change-email',
      access: PUBLIC_OR_SESSION,
      summary: 'Change to an e-mail address, by the link sent to it and the password or a session of the account',
      body: jsonBody(confirmEmailSchema),
      bodyExample: { token: 'TOKEN_OF_THE_LINK' },
      replies: { 200: userReply },
      handle: async ({ body, signedIn, caller }) =>
        toUserGet(await confirmEmailChange(deps, { ...body, signedIn }, caller), deps.plans),
    }),
  ];
}

function passwordResetRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...publicPost,
      path: '/v2/auth/forgot-password',
      summary: 'Request a link to set a new password',
      body: jsonBody(forgotPasswordSchema),
      bodyExample: { email: 'ada@example.org' },
      replies: { 202: MAIL_SENT },
      async handle({ body, caller }) {
        await sendPasswordReset(deps, body.email, caller);
        return { message: 'if that address has an account, a link is on its way' };
      },
    }),
    defineRoute({
      ...publicPost,
      path: '/v2/auth/reset-password',
      summary: 'Set a new password, by that link; ends what had access to the account before',
      body: jsonBody(resetPasswordSchema),
      bodyExample: { token: 'TOKEN_OF_THE_LINK', password: 'Seven-green-boats-9' },
      replies: { 200: json(recoverySchema, 'What has ended: sessions, tokens, links, members and more.') },
      async handle({ body, caller }, c) {
        const { ended, device } = await resetPassword(deps, body, caller);
        setDeviceCookie(c, device);
        return { ended };
      },
    }),
  ];
}
