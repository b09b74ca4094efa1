/** `fetch` with the cookies of one server, for a session that lasts for one command. */

/** Cookies are kept in memory and sent to `url` alone. */
export function createCookieFetch(url: string): typeof globalThis.fetch {
  const { origin } = new URL(url);
  const cookies = new Map<string, string>();
  return async (input, init) => {
    const address = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    if (address.origin === origin && cookies.size > 0) {
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    }
    const reply = await fetch(input, { ...init, headers });
    for (const line of address.origin === origin ? reply.headers.getSetCookie() : []) {
      const [pair = ''] = line.split(';');
      const equals = pair.indexOf('=');
      if (equals > 0) cookies.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
    }
    return reply;
  };
}
