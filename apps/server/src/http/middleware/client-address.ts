import { BlockList, isIP, isIPv6 } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from '../http-env.ts';

/**
 * Determine the client's address: the address of the connection or, when that is a trusted proxy, the last address in
 * X-Forwarded-For that is no trusted proxy. Sets `clientAddress` and `secure` (TLS up to here or up to a trusted proxy).
 *
 * @param trustedProxies addresses and networks (`10.0.0.0/8`) of proxies; the headers of other peers are ignored
 */
export function clientAddress(trustedProxies: readonly string[]): MiddlewareHandler<HttpEnv> {
  const trusted = new BlockList();
  for (const network of trustedProxies) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    trusted.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

  return async (c, next) => {
    const peer = plain(c.env?.peer?.address ?? '');
    let address = peer;
    let secure = c.env?.peer?.encrypted ?? false;
    if (isTrusted(peer)) {
      const hops = (c.req.header('x-forwarded-for') ?? '').split(',').map((hop) => plain(hop.trim()));
      // From the right: each proxy appends the address of its client; a client can write anything further left.
      while (isTrusted(address) && isIP(hops.at(-1) ?? '') !== 0) address = hops.pop() ?? address;
      secure = c.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim() === 'https';
    }
    c.set('clientAddress', address);
    c.set('secure', secure);
    await next();
  };
}

/** An IPv4 address without the prefix that IPv6 sockets add. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}
