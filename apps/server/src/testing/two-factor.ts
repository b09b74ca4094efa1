import assert from 'node:assert/strict';
import { recoveryCodesSchema, twoFactorGetSchema } from '@gptj-cloud/protocol';
import { base32, totp, totpStep } from '../identity/two-factor/totp.ts';
import { type Browser, PASSWORD } from './browser.ts';

/** Turn on two-factor authentication for a user with the password `PASSWORD`; the code that this used, and the recovery codes. */
export async function turnTwoFactorOn(
  by: Browser,
  now: Date,
): Promise<{ readonly usedCode: string; readonly recoveryCodes: readonly string[] }> {
  const begun = await by.ask('/v2/auth/two-factor', 'POST', { password: PASSWORD });
  const usedCode = totp(fromBase32(twoFactorGetSchema.parse(await begun.json()).secret), totpStep(now));
  const confirmed = await by.ask('/v2/auth/two-factor/confirm', 'POST', { code: usedCode });
  return { usedCode, recoveryCodes: recoveryCodesSchema.parse(await confirmed.json()).recovery_codes };
}

/** The bytes of a base32 secret, as an authenticator app decodes them. */
export function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  assert.equal(base32(Uint8Array.from(bytes)), text);
  return Uint8Array.from(bytes);
}
