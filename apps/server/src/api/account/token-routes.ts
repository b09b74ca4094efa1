/** API tokens of a user in the current project. */
import {
  paginatedSchema,
  tokenCreateSchema,
  tokenGetSchema,
  tokenPatchSchema,
  tokenRotateSchema,
} from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { MailDeps } from '../../identity/account-deps.ts';
import {
  changeToken,
  createToken,
  deleteToken,
  getToken,
  listTokens,
  rotateToken,
} from '../../identity/api-keys/api-key-service.ts';
import { type ApiRoute, inPerson, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

const tokenReply = json(tokenGetSchema, 'The token, without its value.');

export function tokenRoutes(deps: MailDeps): readonly ApiRoute[] {
  const access = scope('admin');
  const record = { access, errors: pipelineCloudErrors, tag: 'tokens', holdsSecret: true } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/tokens',
      access: inPerson(access, { tokens: 'confirm' }),
      summary: 'Create an API token',
      body: jsonBody(tokenCreateSchema),
      bodyExample: { name: 'notebook', scopes: ['run'] },
      replies: { 201: json(tokenGetSchema, 'The token with its complete value, which is shown only once.') },
      handle: ({ body, principal, caller }) => createToken(deps, principal, body, caller),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/tokens',
      summary: 'List API tokens',
      parameters: PAGE,
      replies: { 200: json(paginatedSchema(tokenGetSchema), 'A page of tokens, without their values.') },
      handle: ({ parameters, principal }) => listTokens(deps, principal, parameters),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/tokens/:id',
      summary: 'Get an API token',
      replies: { 200: tokenReply },
      handle: ({ path, principal }) => getToken(deps, principal, path.id),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/tokens/:id',
      summary: 'Rename, disable or limit an API token',
      description: 'To enable it, or to let it live longer, needs a recent confirmation, as to create one.',
      body: jsonBody(tokenPatchSchema),
      bodyExample: { name: 'notebook of Ada' },
      replies: { 200: tokenReply },
      handle: ({ path, body: patch, principal, caller, requireConfirmation }) =>
        changeToken(deps, principal, { id: path.id, patch, requireConfirmation }, caller),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/tokens/:id/rotate',
      access: inPerson(access, { tokens: 'confirm' }),
      summary: 'Give an API token another value',
      description: 'Id, name, scopes and end stay. The present value is accepted until the overlap ends.',
      body: jsonBody(tokenRotateSchema),
      bodyExample: { overlap_seconds: 86_400 },
      replies: { 200: json(tokenGetSchema, 'The token with its complete new value, which is shown only once.') },
      handle: ({ path, body, principal, caller }) => rotateToken(deps, principal, { id: path.id, ...body }, caller),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/tokens/:id',
      summary: 'Delete an API token',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal, caller }) => deleteToken(deps, principal, path.id, caller),
    }),
  ];
}
