import {
  authorizationUrlSchema,
  identityCreateSchema,
  identityGetSchema,
  oauthCodeSchema,
  oauthProviderSchema,
  sessionGetSchema,
} from '@gptj-cloud/protocol';
import { json, listSchema, NO_CONTENT, type Operation, query, type Reply } from '../../http/openapi/operation.ts';

const TAG = 'signing in with a provider';
const PAGE_REPLY: Reply = { description: 'A page.', content: [{ type: 'text/html', schema: { type: 'string' } }] };

export const OAUTH_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v2/auth/oauth',
    tag: TAG,
    summary: 'List the providers',
    access: 'public',
    replies: { 200: json(listSchema(oauthProviderSchema), 'The providers of this server.') },
  },
  {
    method: 'get',
    path: '/v2/auth/oauth/:provider',
    tag: TAG,
    summary: 'Begin to sign in: for browsers',
    access: 'public',
    replies: { 302: { description: 'To the provider; a cookie is set that binds the sign-in to the browser.' } },
  },
  {
    method: 'get',
    path: '/v2/auth/oauth/:provider/callback',
    tag: TAG,
    summary: 'Where the provider sends the browser back to',
    access: 'public',
    parameters: [query('code', 'What the provider gave.'), query('state', 'What it was given.')],
    replies: { 303: { description: 'To a page of this server; the cookie of the session is set.' } },
  },
  {
    method: 'post',
    path: '/v2/auth/oauth-code',
    tag: TAG,
    summary: 'Give the second factor, where the account has one',
    access: 'public',
    body: [{ schema: oauthCodeSchema }],
    replies: { 200: json(sessionGetSchema, 'The session; its cookie is set.') },
  },
  {
    method: 'get',
    path: '/v2/auth/oauth-code',
    tag: TAG,
    summary: 'The page that asks for the second factor',
    access: 'public',
    replies: { 200: PAGE_REPLY },
  },
  {
    method: 'get',
    path: '/v2/auth/signed-in',
    tag: TAG,
    summary: 'The page that a sign-in ends at',
    access: 'public',
    replies: { 200: PAGE_REPLY },
  },
  {
    method: 'get',
    path: '/v2/auth/identities',
    tag: TAG,
    summary: 'List the linked accounts elsewhere',
    access: 'session',
    replies: { 200: json(listSchema(identityGetSchema), 'Identities, the oldest first.') },
  },
  {
    method: 'post',
    path: '/v2/auth/identities',
    tag: TAG,
    summary: 'Begin to link an account elsewhere to the own one',
    access: 'session',
    body: [{ schema: identityCreateSchema }],
    replies: { 200: json(authorizationUrlSchema, 'Where to send the browser.') },
  },
  {
    method: 'delete',
    path: '/v2/auth/identities/:id',
    tag: TAG,
    summary: 'Unlink one; the last way in stays',
    access: 'session',
    replies: { 204: NO_CONTENT },
  },
];
