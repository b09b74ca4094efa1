import type { Fetch } from './http.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `fetch` through the proxies that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name. Node's own `fetch` does not read them
 * before release 24, so that undici is loaded where one is set.
 */
export async function openFetch(env: Environment): Promise<Fetch> {
  const [https, http, none] = [
    env.https_proxy ?? env.HTTPS_PROXY ?? '',
    env.http_proxy ?? env.HTTP_PROXY ?? '',
    env.no_proxy ?? env.NO_PROXY ?? '',
  ];
  if (https === '' && http === '') return async (url, init) => await fetch(url, init);
  // Its named exports are missing where esbuild has bundled it.
  const { default: undici } = await import('undici');
  const dispatcher = new undici.EnvHttpProxyAgent({ httpsProxy: https, httpProxy: http, noProxy: none });
  // The same class by another name: undici brings its own Response.
  return async (url, init) => (await undici.fetch(url, { ...init, dispatcher })) as unknown as Response;
}
