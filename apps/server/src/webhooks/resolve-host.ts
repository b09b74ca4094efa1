/**
 * Names of webhook receivers. `dns.lookup` occupies one of four threads of the process that also read files and hash
 * passwords, until the name server of a stranger answers; `Resolver` has its own sockets and can be cancelled.
 */
import { lookup, Resolver } from 'node:dns/promises';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** The addresses of a name; none when it has none. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly ResolvedAddress[]>;

/** Time of one query to one name server. */
const QUERY_TIMEOUT_MS = 2_000;
/** More would be tried one after the other. */
const MAX_ADDRESSES = 8;

/** By DNS alone. A name server that does not answer counts as no address. */
export const resolvePublicHost: Resolve = async (hostname, signal) => {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: 1 });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    return [
      ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
      ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : []),
    ].slice(0, MAX_ADDRESSES);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** By DNS, then as the system does, with its hosts file: for servers whose receivers are in a private network. */
export const resolveAnyHost: Resolve = async (hostname, signal) => {
  const found = await resolvePublicHost(hostname, signal);
  if (found.length > 0) return found;
  return await lookup(hostname, { all: true }).catch(() => []);
};
