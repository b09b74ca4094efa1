import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SCOPES } from '@gptj-cloud/protocol';
import type { Scope } from '../principal.ts';

/** A credential of the API. Only the SHA-256 of its token is kept: tokens are random, so no salt or stretching helps. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly source: 'generated' | 'environment';
  readonly userId: string;
  readonly projectId: string;
  readonly scopes: readonly Scope[];
  /** The first characters of the token, for its owner to know it by. */
  readonly hint: string;
  readonly isEnabled: boolean;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A fresh token: 192 random bits behind a prefix that secret scanners can look for. */
export function newToken(): string {
  return `gptj_${randomBytes(24).toString('base64url')}`;
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** Enough of a token to know it by: of a made one the prefix and 24 of 192 random bits, of a chosen one nothing. */
export function tokenHint(token: string): string {
  return /^gptj_[\w-]{32}$/.test(token) ? token.slice(0, 9) : '';
}

/** Scopes as they are stored: each once, in order. */
export function writeScopes(scopes: readonly Scope[]): string {
  return SCOPES.filter((scope) => scopes.includes(scope)).join(' ');
}

export function readScopes(text: string): readonly Scope[] {
  const words = text.split(' ');
  return SCOPES.filter((scope) => words.includes(scope));
}

/** Whether two hashes are the same, in time that does not tell where they differ. */
export function sameHash(left: string, right: string): boolean {
  const a = Buffer.from(left, 'utf8');
  const b = Buffer.from(right, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}
