import assert from 'node:assert/strict';
import { type SessionGet, sessionGetSchema, type UserGet, userGetSchema } from '@gptj-cloud/protocol';
import type { TestApp } from './test-app.ts';

export const PASSWORD = 'Ozymandias1818';

/** A signed-in user: requests carry the cookie of the session and its CSRF token. */
export interface Browser {
  readonly user: UserGet;
  readonly session: SessionGet;
  readonly cookie: string;
  ask(path: string, method?: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** A POST of JSON without credentials. */
export async function postSignedOut(
  it: TestApp,
  path: string,
  body: unknown,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('content-type', 'application/json');
  return await it.app.request(path, { ...init, method: 'POST', body: JSON.stringify(body), headers });
}

/** Register a user with the e-mail address `<username>@example.com`. */
export async function registerUser(it: TestApp, username: string): Promise<UserGet> {
  const email = `${username}@example.com`;
  const reply = await postSignedOut(it, '/v2/auth/register', { email, username, password: PASSWORD });
  assert.equal(reply.status, 201, await reply.clone().text());
  return userGetSchema.parse(await reply.json());
}

export async function signInAs(it: TestApp, login: string, password: string = PASSWORD): Promise<Browser> {
  const reply = await postSignedOut(it, '/v2/auth/login', { login, password });
  assert.equal(reply.status, 200, await reply.clone().text());
  const session = sessionGetSchema.parse(await reply.json());
  const cookie = /^[^;]+/.exec(reply.headers.get('set-cookie') ?? '')?.[0] ?? '';
  return {
    user: session.user,
    session,
    cookie,
    ask: async (path, method = 'GET', body, headers = {}) =>
      await it.app.request(path, {
        method,
        headers: { cookie, 'x-csrf-token': session.csrf_token, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}

export async function registerAndSignIn(it: TestApp, username: string): Promise<Browser> {
  await registerUser(it, username);
  return await signInAs(it, username);
}

/** The secret of the link in the latest mail with one to an address. */
export function mailedSecret(it: TestApp, to: string): string {
  const secrets = it.mails.filter((each) => each.to === to).map(({ text }) => /#([\w-]{32})\n/.exec(text)?.[1]);
  return secrets.findLast((secret) => secret !== undefined) ?? '';
}

/** Status and code of an error reply. */
export async function refusal(reply: Response): Promise<string> {
  const body: unknown = await reply.json();
  assert.ok(typeof body === 'object' && body !== null && 'detail' in body, JSON.stringify(body));
  assert.ok(typeof body.detail === 'object' && body.detail !== null);
  return `${reply.status} ${Reflect.get(body.detail, 'code')}`;
}
