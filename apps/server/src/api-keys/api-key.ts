import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A credential of the API. Only the SHA-256 of its token is kept: tokens are random, so no salt or stretching helps. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** 64 hex digits. */
  readonly hash: string;
  readonly source: 'generated' | 'environment';
  readonly createdAt: Date;
}

/** A fresh token: 192 random bits behind a prefix that secret scanners can look for. */
export function newToken(): string {
  return `gptj_${randomBytes(24).toString('base64url')}`;
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** Whether two hashes are the same, in time that does not tell where they differ. */
export function sameHash(left: string, right: string): boolean {
  const a = Buffer.from(left, 'utf8');
  const b = Buffer.from(right, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}
