/** Somebody else who can say who a person is. */

/** A provider as the settings describe it. */
export interface OAuthProviderSettings {
  /** As it stands in addresses: lower-case letters, digits and dashes. */
  readonly name: string;
  /** `oidc` is anything that speaks OpenID Connect; GitHub speaks plain OAuth 2. */
  readonly kind: 'oidc' | 'github';
  /** Issuer of OpenID Connect; for GitHub where it is. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What one sign-in is known by. Nonce and verifier are known to nobody but this server and the browser. */
export interface OAuthFlow {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly codeVerifier: string;
}

/** Who a provider says somebody is. */
export interface ProviderIdentity {
  /** Means one person for ever, with the issuer. */
  readonly subject: string;
  /** What the person is called there. */
  readonly name: string;
  /** An address that the provider has verified, as addresses are stored; null: none. */
  readonly verifiedEmail: string | null;
}

export interface OAuthProvider {
  readonly name: string;
  readonly issuer: string;
  /** Where to send the browser. Throws `oauth_unavailable`. */
  authorizationUrl(flow: OAuthFlow): Promise<URL>;
  /**
   * Who came back, by the query of the address they came back to. Throws `oauth_failed` for anything that does not fit
   * the flow, `oauth_unavailable`.
   */
  identify(query: URLSearchParams, flow: OAuthFlow): Promise<ProviderIdentity>;
}
