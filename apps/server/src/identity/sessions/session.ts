import { createHash, timingSafeEqual } from 'node:crypto';

/** A signed-in browser. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  /** When the user last proved to be there in person. */
  readonly confirmedAt: Date;
  /** Network address that signed in. */
  readonly address: string;
  readonly userAgent: string;
}

const DAY_MS = 86_400_000;
/** How long a session lasts after sign-in. */
export const SESSION_LIFETIME_MS: number = 30 * DAY_MS;
/** How long a session lasts after its last use. */
export const SESSION_IDLE_MS: number = 7 * DAY_MS;

/**
 * The CSRF token that writes must send beside the cookie. It is derived from the cookie, which scripts cannot read. Another site can
 * make the browser send the cookie, but cannot read a reply that contains this token.
 */
export function csrfToken(secret: string): string {
  return createHash('sha256').update(`csrf:${secret}`, 'utf8').digest('base64url');
}

export function isCsrfToken(secret: string, given: string): boolean {
  const expected = Buffer.from(csrfToken(secret), 'utf8');
  const actual = Buffer.from(given, 'utf8');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
