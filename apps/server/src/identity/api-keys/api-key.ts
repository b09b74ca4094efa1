import { timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
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
  /** Until when the value before the latest rotation is accepted; null when there was none. */
  readonly previousUntil: Date | null;
}

const PREFIX = 'gptj_';
/** Of 6 bits each. */
const RANDOM_CHARACTERS = 26;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * A new token: 156 random bits behind a prefix that secret scanners can search for, and before a checksum by which they
 * recognise a token without asking the server.
 */
export function newToken(): string {
  const random = `${PREFIX}${randomSecret(20).slice(0, RANDOM_CHARACTERS)}`;
  return `${random}${tokenChecksum(random)}`;
}

/**
 * The last 6 characters of a token: the CRC-32 of all before them, in base 62 with digits, upper-case and lower-case letters
 * in this order. Tokens from before it was added have none, and stay valid.
 */
function tokenChecksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  while (digits.length < 6) {
    digits = `${BASE62[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** The hint of a token: the prefix and 24 of the random bits of a generated one; empty for a chosen one. */
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
