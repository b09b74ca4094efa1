/** How addresses of clients are counted. */
import { isIPv6 } from 'node:net';

/** The /64 network of an IPv6 address, since one customer has all 2^64 addresses of it; other addresses unchanged. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}

/** Whether the client is on this machine, possibly a proxy for clients elsewhere. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
