/** Time-based one-time passwords (RFC 6238 over RFC 4226) as authenticator apps make them: SHA-1, 6 digits, 30 s. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const STEP_MS = 30_000;
/** Clocks differ and typing takes time, so the previous and the next code are also accepted. */
const DRIFT_STEPS = 1;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * The time step that a code belongs to, or null. Steps up to `after`, the last used one, are refused.
 */
export function matchTotp(secret: Uint8Array, code: string, now: Date, after: number | null): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const current = totpStep(now);
  for (let step = current - DRIFT_STEPS; step <= current + DRIFT_STEPS; step++) {
    if (after !== null && step <= after) continue;
    if (timingSafeEqual(Buffer.from(totp(secret, step)), Buffer.from(code))) return step;
  }
  return null;
}

/** The code of a time step. */
export function totp(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

export function totpStep(now: Date): number {
  return Math.floor(now.getTime() / STEP_MS);
}

/** The URI that an authenticator app reads from a QR code. */
export function totpUri(secret: string, account: string): string {
  return `otpauth://totp/gptj-cloud:${encodeURIComponent(account)}?secret=${secret}&issuer=gptj-cloud`;
}

/** Base32 of RFC 4648, without padding. */
export function base32(bytes: Uint8Array): string {
  let encoded = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      encoded += BASE32[(value >> bits) & 31];
    }
  }
  return bits === 0 ? encoded : encoded + BASE32[(value << (5 - bits)) & 31];
}
