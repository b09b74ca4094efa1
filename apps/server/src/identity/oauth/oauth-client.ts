/**
 * What both kinds of providers share of `openid-client`. Nobody but the operator says which hosts are asked: addresses
 * come from the settings and from what the issuer set there publishes, and the library follows no redirect.
 */
import { ApiError } from '@gptj-cloud/protocol';
import type { ClientAuth, Configuration } from 'openid-client';
import type { OAuthFlow, OAuthProviderSettings } from './oauth-provider.ts';

/** The library, which is loaded only when a provider is set up. */
export type OpenIdClient = typeof import('openid-client');

/** Of one request to a provider. */
export const TIMEOUT_SECONDS = 10;

/** The address of this flow's question: with a state, and a challenge that only the flow's verifier answers. */
export async function authorizationUrl(
  client: OpenIdClient,
  config: Configuration,
  flow: OAuthFlow,
  parameters: Readonly<Record<string, string>>,
): Promise<URL> {
  return client.buildAuthorizationUrl(config, {
    redirect_uri: flow.redirectUri,
    state: flow.state,
    code_challenge: await client.calculatePKCECodeChallenge(flow.codeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
}

/** The address a browser came back to, as the provider knows it, whatever proxies made of it. */
export function returnUrl({ redirectUri }: OAuthFlow, query: URLSearchParams): URL {
  const url = new URL(redirectUri);
  url.search = query.toString();
  return url;
}

/** Show the secret in the way the provider wants; in the body where it does not care. */
export function clientAuthentication(client: OpenIdClient, { clientSecret }: OAuthProviderSettings): ClientAuth {
  const inBody = client.ClientSecretPost(clientSecret);
  const inHeader = client.ClientSecretBasic(clientSecret);
  return (server, ...rest) => {
    // Discovery 1.0: without a word, it is the header.
    const ways = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (ways.includes('client_secret_post') ? inBody : inHeader)(server, ...rest);
  };
}

/** What went wrong, without a word of what the provider or the browser sent. The cause is for the log. */
export function toOAuthError(provider: string, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isOutage(error)) return new ApiError('oauth_unavailable', { provider }, { cause: error });
  const reason = wordOf(error) === 'access_denied' ? 'access was denied' : 'its answer cannot be accepted';
  return new ApiError('oauth_failed', { provider, reason }, { cause: error });
}

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  // What fetch throws has no code of its own.
  return code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT' || (error instanceof TypeError && code === undefined);
}

/** Facts of an error for the log. Not the error itself: its causes may hold tokens that a provider sent. */
export function describeOAuthError(error: ApiError): Readonly<Record<string, unknown>> {
  const { cause } = error;
  if (!(cause instanceof Error)) return { code: error.code };
  return {
    code: error.code,
    reason: cause.message,
    ...('code' in cause ? { reason_code: cause.code } : {}),
    // `invalid_client` tells an operator more than anything.
    ...(wordOf(cause) === null ? {} : { provider_error: wordOf(cause) }),
    ...(cause.cause instanceof Error ? { because: cause.cause.message } : {}),
  };
}

/** The error of OAuth 2 that a provider named, if it is a word. */
function wordOf(error: unknown): string | null {
  const word = error instanceof Error && 'error' in error ? error.error : null;
  return typeof word === 'string' && /^[\w.-]{1,60}$/.test(word) ? word : null;
}
