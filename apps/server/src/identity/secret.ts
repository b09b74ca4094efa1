import { createHash, randomBytes } from 'node:crypto';

/** A random secret of `bytes` bytes in base64url, of letters, digits, `-` and `_`. */
export function randomSecret(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/**
 * The SHA-256 of a secret, hexadecimal, as the store keeps it. For random secrets only: they need no salt and no
 * stretching. Passwords are hashed by `sessions/password.ts`.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}
