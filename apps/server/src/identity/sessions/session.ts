import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { sessions } from '../identity-tables.ts';

/** Somebody signed in with a browser. */
export type Session = Readonly<Omit<typeof sessions.$inferSelect, 'hash'>>;

const DAY_MS = 86_400_000;
/** A session ends so long after it began, and so long after it was last used. */
export const SESSION_LIFETIME_MS: number = 30 * DAY_MS;
export const SESSION_IDLE_MS: number = 7 * DAY_MS;

/** What the cookie holds: 256 random bits. */
export function newSessionSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function hashSessionSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/**
 * What writes must carry beside the cookie. It follows from the cookie, which scripts cannot read; other sites can make
 * the browser send the cookie, and cannot read a reply that holds this.
 */
export function csrfToken(secret: string): string {
  return createHash('sha256').update(`csrf:${secret}`, 'utf8').digest('base64url');
}

export function isCsrfToken(secret: string, given: string): boolean {
  const expected = Buffer.from(csrfToken(secret), 'utf8');
  const made = Buffer.from(given, 'utf8');
  return expected.length === made.length && timingSafeEqual(expected, made);
}
