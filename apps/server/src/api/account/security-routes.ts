/** Changes of password, e-mail address and second factor, and deleting the account. */
import {
  changeEmailSchema,
  changePasswordSchema,
  confirmationSchema,
  confirmSchema,
  deleteAccountSchema,
  recoveryCodesLeftSchema,
  recoveryCodesSchema,
  toTimestamp,
  twoFactorConfirmSchema,
  twoFactorDisableSchema,
  twoFactorGetSchema,
  twoFactorPasswordSchema,
} from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { changePassword } from '../../identity/sessions/change-password.ts';
import { confirmSessionNow } from '../../identity/sessions/sign-in.ts';
import {
  beginTwoFactor,
  confirmInPerson,
  confirmPassword,
  confirmTwoFactor,
  countUnusedCodes,
  endTwoFactor,
  renewRecoveryCodes,
} from '../../identity/two-factor/two-factor.ts';
import { requestEmailChange } from '../../identity/users/change-email.ts';
import { deleteOwnAccount } from '../../identity/users/delete-account.ts';
import { type ApiRoute, UNVERIFIED_SESSION } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { MAIL_SENT } from './account-routes.ts';
import { clientOf, deleteSessionCookie, setDeviceCookie } from './session-reply.ts';

const record = {
  method: 'post',
  access: UNVERIFIED_SESSION,
  errors: pipelineCloudErrors,
  tag: 'signing in',
  holdsSecret: true,
} as const;

export function securityRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...record,
      path: '/v2/auth/email',
      summary: 'Request a link to change to another e-mail address',
      body: jsonBody(changeEmailSchema),
      bodyExample: { email: 'ada.new@example.org', password: 'Seven-green-boats-9' },
      replies: { 202: MAIL_SENT },
      async handle({ body, signedIn: { user }, caller }) {
        await requestEmailChange(deps, user, body, caller);
        return { message: 'a link is on its way to the new address; nothing changes before it is followed' };
      },
    }),
    defineRoute({
      ...record,
      path: '/v2/auth/password',
      summary: 'Change the password; ends the other sessions, and API tokens with `revoke_tokens`',
      body: jsonBody(changePasswordSchema),
      bodyExample: { current_password: 'Seven-green-boats-9', new_password: 'Eight-green-boats-9' },
      replies: { 204: NO_CONTENT },
      async handle({ body, signedIn: { user, session }, caller }, c) {
        const { current_password: password, code, new_password: next, revoke_tokens: revokeTokens = false } = body;
        await confirmInPerson(deps, user, { password, code }, caller);
        const { device } = clientOf(c);
        setDeviceCookie(
          c,
          await changePassword(deps, user, { next, sessionId: session.id, device, revokeTokens }, caller),
        );
      },
    }),
    defineRoute({
      ...record,
      path: '/v2/auth/confirm',
      summary: 'Confirm to be there in person, for sensitive changes in this session',
      body: jsonBody(confirmSchema),
      bodyExample: { password: 'Seven-green-boats-9' },
      replies: { 200: json(confirmationSchema, 'The time until which the session needs no other confirmation.') },
      async handle({ body, signedIn: { user, session }, caller }) {
        await confirmInPerson(deps, user, body, caller);
        return { confirmed_until: toTimestamp(await confirmSessionNow(deps, session.id)) };
      },
    }),
    defineRoute({
      ...record,
      path: '/v2/auth/delete-account',
      summary: "Delete the caller's account with all its data",
      body: jsonBody(deleteAccountSchema),
      bodyExample: { password: 'Seven-green-boats-9' },
      replies: { 204: NO_CONTENT },
      async handle({ body, signedIn: { user }, caller }, c) {
        await deleteOwnAccount(deps, user, body, caller);
        deleteSessionCookie(c);
      },
    }),
    ...twoFactorRoutes(deps),
  ];
}

function twoFactorRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...record,
      path: '/v2/auth/two-factor',
      summary: 'Begin two-factor sign-in',
      body: jsonBody(twoFactorPasswordSchema),
      bodyExample: { password: 'Seven-green-boats-9' },
      replies: { 200: json(twoFactorGetSchema, 'The secret for the authenticator app.') },
      async handle({ body, signedIn: { user }, caller }) {
        await confirmPassword(deps, user, body.password, caller);
        return await beginTwoFactor(deps, user);
      },
    }),
    defineRoute({
      ...record,
      path: '/v2/auth/two-factor/confirm',
      summary: 'Turn two-factor sign-in on, with a code; ends the other sessions',
      body: jsonBody(twoFactorConfirmSchema),
      bodyExample: { code: '123456' },
      replies: { 200: json(recoveryCodesSchema, 'Recovery codes, shown only once.') },
      handle: async ({ body, signedIn: { user, session }, caller }) => ({
        recovery_codes: await confirmTwoFactor(deps, user, { code: body.code, sessionId: session.id }, caller),
      }),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/auth/two-factor/recovery-codes',
      summary: 'Count the recovery codes that are left',
      replies: { 200: json(recoveryCodesLeftSchema, 'How many are unused.') },
      handle: ({ signedIn: { user } }) => countUnusedCodes(deps, user),
    }),
    defineRoute({
      ...record,
      path: '/v2/auth/two-factor/recovery-codes',
      summary: 'Make new recovery codes in place of the earlier ones',
      body: jsonBody(twoFactorDisableSchema),
      bodyExample: { password: 'Seven-green-boats-9', code: '123456' },
      replies: { 200: json(recoveryCodesSchema, 'Recovery codes, shown only once.') },
      async handle({ body, signedIn: { user }, caller }) {
        await confirmInPerson(deps, user, body, caller);
        return { recovery_codes: await renewRecoveryCodes(deps, user, caller) };
      },
    }),
    defineRoute({
      ...record,
      path: '/v2/auth/two-factor/disable',
      summary: 'Turn two-factor sign-in off; ends the other sessions',
      body: jsonBody(twoFactorDisableSchema),
      bodyExample: { password: 'Seven-green-boats-9', code: '123456' },
      replies: { 204: NO_CONTENT },
      async handle({ body, signedIn: { user, session }, caller }) {
        await confirmInPerson(deps, user, body, caller);
        await endTwoFactor(deps, user, session.id, caller);
      },
    }),
  ];
}
