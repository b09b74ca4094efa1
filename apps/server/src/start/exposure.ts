import type { RegistrationPolicy } from '../identity/account-deps.ts';
import { isLoopback } from '../network-address.ts';

export interface Exposure {
  readonly host: string;
  readonly registration: RegistrationPolicy;
  /** `PUBLIC_URL`; null: not set. */
  readonly publicUrl: string | null;
  readonly trustedProxies: readonly string[];
}

/** Lines for the operator of a server that other machines reach, about what they can do or read there. */
export function describeExposure({ host, registration, publicUrl, trustedProxies }: Exposure): readonly string[] {
  if (host === 'localhost' || isLoopback(host)) return [];
  const lines: string[] = [];
  if (registration === 'open') {
    lines.push(
      `other machines reach this server (HOST=${host}) and REGISTRATION is open: everyone who reaches it can make an account and use the model; REGISTRATION=invited or closed prevents that`,
    );
  }
  const hasTls = trustedProxies.length > 0 || publicUrl?.startsWith('https://') === true;
  if (!hasTls) {
    lines.push(
      `other machines reach this server (HOST=${host}) without TLS: passwords and tokens cross the network unencrypted; put a proxy with TLS before it and set TRUSTED_PROXIES and PUBLIC_URL, as docs/operations.md describes`,
    );
  }
  return lines;
}
