/**
 * The use of `openid-client` that both kinds of providers share. Only the operator chooses which hosts are contacted:
 * addresses come from the settings and from the metadata of the configured issuer, and the library follows no redirect.
 */
import { ApiError } from '@gptj-cloud/protocol';
import type { ClientAuth, Configuration } from 'openid-client';
import type { OAuthFlow, OAuthProviderSettings } from './oauth-provider.ts';

/** The library. It is loaded only when a provider is configured. */
export type OpenIdClient = typeof import('openid-client');

/** Time limit of one request to a provider. */
export const TIMEOUT_SECONDS = 10;

/** The authorization URL of a flow, with its state and its PKCE challenge. */
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

/** The address that the browser returned to, as the provider knows it: proxies may have rewritten the request's. */
export function returnUrl({ redirectUri }: OAuthFlow, query: URLSearchParams): URL {
  const url = new URL(redirectUri);
  url.search = query.toString();
  return url;
}

/** Authenticate with the client secret in a way that the provider supports, preferably in the body. */
export function clientAuthentication(client: OpenIdClient, { clientSecret }: OAuthProviderSettings): ClientAuth {
  const inBody = client.ClientSecretPost(clientSecret);
  const inHeader = client.ClientSecretBasic(clientSecret);
  return (server, ...rest) => {
    // OpenID Connect Discovery 1.0: the default is the header.
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_post') ? inBody : inHeader)(server, ...rest);
  };
}

/** The error for the client, without any text of the provider or the browser. The cause is for the log. */
export function toOAuthError(provider: string, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isOutage(error)) return new ApiError('oauth_unavailable', { provider }, { cause: error });
  const reason = oauthErrorOf(error) === 'access_denied' ? 'access was denied' : 'its reply cannot be accepted';
  return new ApiError('oauth_failed', { provider, reason }, { cause: error });
}

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  // Errors of fetch have no code.
  return code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT' || (error instanceof TypeError && code === undefined);
}

/** Fields of an error for the log. Not the error itself: its causes may contain tokens of a provider. */
export function describeOAuthError(error: ApiError): Readonly<Record<string, unknown>> {
  const { cause } = error;
  if (!(cause instanceof Error)) return { code: error.code };
  return {
    code: error.code,
    reason: cause.message,
    ...('code' in cause ? { reason_code: cause.code } : {}),
    // For example `invalid_client`, by which an operator finds a wrong secret.
    ...(oauthErrorOf(cause) === null ? {} : { provider_error: oauthErrorOf(cause) }),
    ...(cause.cause instanceof Error ? { because: cause.cause.message } : {}),
  };
}

/** The OAuth 2 error code of a provider's reply, if it is well-formed. */
function oauthErrorOf(error: unknown): string | null {
  const code = error instanceof Error && 'error' in error ? error.error : null;
  return typeof code === 'string' && /^[\w.-]{1,60}$/.test(code) ? code : null;
}
