import { emailSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { authorizationUrl, type OpenIdClient, returnUrl, TIMEOUT_SECONDS, toOAuthError } from './oauth-client.ts';
import type { OAuthProvider, OAuthProviderSettings, ProviderIdentity } from './oauth-provider.ts';

const userSchema = z.object({ id: z.number().int(), login: z.string() });
const emailsSchema = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));

/** GitHub, or a GitHub Enterprise Server: OAuth 2 without ID tokens, so the user is read from its API. */
export function createGitHubProvider(client: OpenIdClient, settings: OAuthProviderSettings): OAuthProvider {
  const { name, url, clientId, clientSecret } = settings;
  const api = url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3`;
  const issuer = `${url}/login/oauth`;
  const config = new client.Configuration(
    { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/access_token` },
    clientId,
    undefined,
    client.ClientSecretPost(clientSecret),
  );
  config.timeout = TIMEOUT_SECONDS;
  if (url.startsWith('http:')) client.allowInsecureRequests(config);

  const read = async <Value>(token: string, path: string, schema: z.ZodType<Value>): Promise<Value> => {
    const headers = new Headers({ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' });
    const reply = await client.fetchProtectedResource(config, token, new URL(api + path), 'GET', undefined, headers);
    if (!reply.ok) throw new Error(`expected ${path} to reply 2xx, got ${reply.status}`);
    const body: unknown = await reply.json();
    return schema.parse(body);
  };
  return {
    name,
    issuer,
    authorizationUrl: (flow) => authorizationUrl(client, config, flow, { scope: 'read:user user:email' }),
    async identify(query, flow): Promise<ProviderIdentity> {
      try {
        const { access_token: token } = await client.authorizationCodeGrant(config, returnUrl(flow, query), {
          expectedState: flow.state,
          pkceCodeVerifier: flow.codeVerifier,
        });
        const user = await read(token, '/user', userSchema);
        const emails = await read(token, '/user/emails?per_page=100', emailsSchema);
        const primary = emailSchema.safeParse(emails.find((each) => each.primary && each.verified)?.email);
        return {
          subject: String(user.id),
          name: user.login,
          verifiedEmail: primary.success ? primary.data : null,
        };
      } catch (error) {
        throw toOAuthError(name, error);
      }
    },
  };
}
