import { isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

export interface ListeningAddress {
  readonly host: string;
  readonly port: number;
}

/** Network interfaces, as `os.networkInterfaces` gives them. */
export type Interfaces = Readonly<
  Record<string, readonly Pick<NetworkInterfaceInfo, 'address' | 'family' | 'internal'>[] | undefined>
>;

/** The URL at which other servers reach this one: of a server that listens on every address, its first one in a network. */
export function nodeUrl({ host, port }: ListeningAddress, interfaces: Interfaces): string {
  const address = host === '0.0.0.0' || host === '::' ? (firstAddress(interfaces) ?? '127.0.0.1') : host;
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

function firstAddress(interfaces: Interfaces): string | undefined {
  const found = Object.values(interfaces)
    .flatMap((each) => each ?? [])
    .filter(({ internal }) => !internal);
  // Addresses that begin with fe80 need the name of an interface.
  const usable = found.filter(({ address }) => !address.toLowerCase().startsWith('fe80:'));
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address;
}
