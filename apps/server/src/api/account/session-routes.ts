/** Sign-in and sessions. Writes with the cookie of a session carry its `csrf_token` in X-CSRF-Token. */
import { loginSchema, sessionEntrySchema, sessionGetSchema } from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import { json, listSchema, NO_CONTENT } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { getSessions } from '../../identity/sessions/session-queries.ts';
import { endSession, signIn } from '../../identity/sessions/sign-in.ts';
import { type ApiRoute, PUBLIC, UNVERIFIED_SESSION } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { clientOf, deleteSessionCookie, setSignInCookies, toSessionGet } from './session-reply.ts';

export function sessionRoutes(deps: AccountDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'signing in', holdsSecret: true } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/auth/login',
      access: PUBLIC,
      summary: 'Sign in',
      body: jsonBody(loginSchema),
      bodyExample: { login: 'ada@example.org', password: 'Seven-green-boats-9' },
      replies: {
        200: json(
          sessionGetSchema,
          'The session; its cookie is set. Send `csrf_token` as X-CSRF-Token with every write.',
        ),
      },
      async handle({ body, caller }, c) {
        const signedIn = await signIn(deps, body, caller, clientOf(c));
        setSignInCookies(c, signedIn);
        return toSessionGet(signedIn, deps.plans);
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/auth/session',
      access: UNVERIFIED_SESSION,
      summary: 'Get the current session',
      replies: { 200: json(sessionGetSchema, 'The session.') },
      handle: ({ signedIn }) => toSessionGet(signedIn, deps.plans),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/auth/logout',
      access: UNVERIFIED_SESSION,
      summary: 'Sign out',
      replies: { 204: NO_CONTENT },
      async handle({ signedIn: { session, user }, caller }, c) {
        await endSession(deps, session.id, user.id, caller, 'user.sign_out');
        deleteSessionCookie(c);
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/auth/sessions',
      access: UNVERIFIED_SESSION,
      summary: 'List the sessions of the user',
      replies: { 200: json(listSchema(sessionEntrySchema), 'Sessions.') },
      handle: ({ signedIn }) => getSessions(deps, signedIn),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/auth/sessions/:id',
      access: UNVERIFIED_SESSION,
      summary: 'End a session',
      replies: { 204: NO_CONTENT },
      handle: ({ path, signedIn: { user }, caller }) => endSession(deps, path.id, user.id, caller, 'session.end'),
    }),
  ];
}
