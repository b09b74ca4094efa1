import { ApiError, emailSchema } from '@gptj-cloud/protocol';
import type { Configuration } from 'openid-client';
import { z } from 'zod';
import {
  authorizationUrl,
  clientAuthentication,
  type OpenIdClient,
  returnUrl,
  TIMEOUT_SECONDS,
  toOAuthError,
} from './oauth-client.ts';
import type { OAuthFlow, OAuthProvider, OAuthProviderSettings, ProviderIdentity } from './oauth-provider.ts';

const claimsSchema = z.object({
  sub: z.string().min(1).max(500),
  email: z.string().optional(),
  // Some providers send a string.
  email_verified: z.union([z.boolean(), z.string()]).optional(),
  preferred_username: z.string().optional(),
  name: z.string().optional(),
});
type Claims = z.infer<typeof claimsSchema>;

/**
 * An issuer of OpenID Connect: code flow with PKCE. Its metadata are read at the first sign-in, and again by the next one
 * after a failure. Signatures of ID tokens are checked although the tokens arrive over TLS.
 */
export function createOidcProvider(client: OpenIdClient, settings: OAuthProviderSettings): OAuthProvider {
  const { name, url: issuer } = settings;
  let discovered: Promise<Configuration> | null = null;
  const discover = (): Promise<Configuration> => {
    discovered ??= discoverIssuer(client, settings).catch((cause: unknown) => {
      discovered = null;
      throw new ApiError('oauth_unavailable', { provider: name }, { cause });
    });
    return discovered;
  };
  return {
    name,
    issuer,
    async authorizationUrl(flow) {
      const parameters = { scope: 'openid email profile', nonce: flow.nonce };
      return await authorizationUrl(client, await discover(), flow, parameters);
    },
    async identify(query, flow) {
      const config = await discover();
      try {
        return toIdentity(await readClaims(client, config, query, flow));
      } catch (error) {
        throw toOAuthError(name, error);
      }
    },
  };
}

async function discoverIssuer(client: OpenIdClient, settings: OAuthProviderSettings): Promise<Configuration> {
  const url = new URL(settings.url);
  const authentication = clientAuthentication(client, settings);
  return await client.discovery(url, settings.clientId, undefined, authentication, {
    timeout: TIMEOUT_SECONDS,
    execute: [
      client.enableNonRepudiationChecks,
      // The settings allow addresses without TLS on this machine only.
      ...(url.protocol === 'http:' ? [client.allowInsecureRequests] : []),
    ],
  });
}

/** Check state, issuer, signature, audience, expiry and nonce. The address may come from the userinfo endpoint instead. */
async function readClaims(
  client: OpenIdClient,
  config: Configuration,
  query: URLSearchParams,
  flow: OAuthFlow,
): Promise<Claims> {
  const tokens = await client.authorizationCodeGrant(config, returnUrl(flow, query), {
    expectedState: flow.state,
    expectedNonce: flow.nonce,
    pkceCodeVerifier: flow.codeVerifier,
    idTokenExpected: true,
  });
  const claims = claimsSchema.parse(tokens.claims());
  if (claims.email !== undefined || config.serverMetadata().userinfo_endpoint === undefined) return claims;
  return claimsSchema.parse(await client.fetchUserInfo(config, tokens.access_token, claims.sub));
}

function toIdentity(claims: Claims): ProviderIdentity {
  const email = emailSchema.safeParse(claims.email);
  const isVerified = claims.email_verified === true || claims.email_verified === 'true';
  return {
    subject: claims.sub,
    name: claims.preferred_username ?? claims.email ?? claims.name ?? claims.sub,
    verifiedEmail: email.success && isVerified ? email.data : null,
  };
}
