/** A provider as the settings describe it. */
export interface OAuthProviderSettings {
  /** Name in addresses: lower-case letters, digits and dashes. */
  readonly name: string;
  /** `oidc` is any provider of OpenID Connect; GitHub has plain OAuth 2. */
  readonly kind: 'oidc' | 'github';
  /** Issuer of OpenID Connect; for GitHub its base URL. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** One sign-in at a provider. Only this server and the browser know nonce and verifier. */
export interface OAuthFlow {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE code verifier (RFC 7636). */
  readonly codeVerifier: string;
}

/** A user's identity as the provider states it. */
export interface ProviderIdentity {
  /** Permanent id of the user at the issuer. */
  readonly subject: string;
  /** The user's name at the provider. */
  readonly name: string;
  /** An e-mail address that the provider has verified, normalised; null: none. */
  readonly verifiedEmail: string | null;
}

/** A sign-in provider. */
export interface OAuthProvider {
  readonly name: string;
  readonly issuer: string;
  /** The address to redirect the browser to. Throws `oauth_unavailable`. */
  authorizationUrl(flow: OAuthFlow): Promise<URL>;
  /**
   * Identify the user from the query of the callback. Throws `oauth_failed` for a query or reply that does not match the
   * flow, `oauth_unavailable`.
   */
  identify(query: URLSearchParams, flow: OAuthFlow): Promise<ProviderIdentity>;
}
