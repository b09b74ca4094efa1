import { createGitHubProvider } from './github-provider.ts';
import type { OAuthProvider, OAuthProviderSettings } from './oauth-provider.ts';
import { createOidcProvider } from './oidc-provider.ts';

/** The providers of the settings, by name. None is contacted yet: the server starts also while a provider is down. */
export async function openOAuthProviders(
  settings: readonly OAuthProviderSettings[],
): Promise<ReadonlyMap<string, OAuthProvider>> {
  if (settings.length === 0) return new Map();
  const client = await import('openid-client');
  return new Map(
    settings.map((each): [string, OAuthProvider] => {
      const create = each.kind === 'github' ? createGitHubProvider : createOidcProvider;
      return [each.name, create(client, each)];
    }),
  );
}
