import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import type { Logger } from '../../telemetry/logger.ts';
import type { HttpEnv } from '../http-env.ts';

/**
 * Determine the client's address: the address of the connection or, when that is a trusted proxy, the last address in
 * X-Forwarded-For that is no trusted proxy. Sets `clientAddress` and `secure` (TLS up to here or up to a trusted proxy).
 * Behind a trusted proxy that names no client the address is empty: the proxy's own would make all its clients one.
 *
 * @param trustedProxies addresses and networks (`10.0.0.0/8`) of proxies; the headers of other peers are ignored
 */
export function clientAddress(trustedProxies: readonly string[], logger: Logger): MiddlewareHandler<HttpEnv> {
  const trusted = new BlockList();
  for (const network of trustedProxies) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    trusted.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

  let warned = false;
  return async (c, next) => {
    let address = withoutPrefix(c.env?.peer?.address ?? '');
    let secure = c.env?.peer?.encrypted ?? false;
    if (isTrusted(address)) {
      const hops = (c.req.header('x-forwarded-for') ?? '').split(',');
      // From the right: each proxy appends the address of its client; a client can write anything further left.
      while (isTrusted(address)) address = addressOf(hops.pop() ?? '');
      secure = c.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim() === 'https';
    }
    if (address === '' && c.env?.peer !== undefined && !warned) {
      warned = true;
      logger.warn(
        'a trusted proxy names no client in X-Forwarded-For; limits by address do not apply to its requests',
        {
          proxy: c.env.peer.address,
        },
      );
    }
    c.set('clientAddress', address);
    c.set('secure', secure);
    await next();
  };
}

/** The address of one hop, without the port that some proxies add: `192.0.2.1:80`, `[2001:db8::1]:80`. Else empty. */
function addressOf(hop: string): string {
  const text = hop.trim();
  const bracketed = text.startsWith('[') && text.includes(']');
  const host = bracketed ? text.slice(1, text.indexOf(']')) : text.split(':').length === 2 ? text.split(':')[0] : text;
  const address = withoutPrefix(host ?? '');
  return isIP(address) === 0 ? '' : address;
}

/** An IPv4 address without the prefix that IPv6 sockets add. */
function withoutPrefix(address: string): string {
  const tail = address.slice('::ffff:'.length);
  return address.toLowerCase().startsWith('::ffff:') && isIPv4(tail) ? tail : address;
}
