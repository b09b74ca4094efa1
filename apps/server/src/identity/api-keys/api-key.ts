import { timingSafeEqual } from 'node:crypto';
import { SCOPES, type Scope } from '@gptj-cloud/protocol';
import { randomSecret } from '../secret.ts';

/** An API credential. The store keeps only the hash of its token. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly source: 'generated' | 'environment';
  readonly userId: string;
  readonly projectId: string;
  readonly scopes: readonly Scope[];
  /** The first characters of the token, by which its owner recognises it. */
  readonly hint: string;
  readonly isEnabled: boolean;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A new token: 192 random bits behind a prefix that secret scanners can search for. */
export function newToken(): string {
  return `gptj_${randomSecret(24)}`;
}

/** The hint of a token: the prefix and 24 of the 192 random bits of a generated one; empty for a chosen one. */
export function tokenHint(token: string): string {
  return /^gptj_[\w-]{32}$/.test(token) ? token.slice(0, 9) : '';
}

/** The stored form of scopes: each once, in a fixed order. */
export function writeScopes(scopes: readonly Scope[]): string {
  return SCOPES.filter((scope) => scopes.includes(scope)).join(' ');
}

export function readScopes(stored: string): readonly Scope[] {
  const names = stored.split(' ');
  return SCOPES.filter((scope) => names.includes(scope));
}

/** Compare two hashes in constant time. */
export function sameHash(left: string, right: string): boolean {
  const a = Buffer.from(left, 'utf8');
  const b = Buffer.from(right, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}
