/**
 * Browsers and networks from which a user has signed in. A browser is known by a cookie with a random secret; a network,
 * which many users may share, by its address. The store keeps hashes.
 */
import { and, desc, eq, gt, inArray, lte } from 'drizzle-orm';
import { addressKey } from '../../network-address.ts';
import type { Database } from '../../store/db.ts';
import { knownDevices } from '../identity-tables.ts';
import { hashSecret, randomSecret } from '../secret.ts';

/** A browser or program that signs in. */
export interface Client {
  readonly userAgent: string;
  /** Value of its device cookie, or null. */
  readonly device: string | null;
}

/** What an account knows of the origin of a request: its device, by an id of both, or only its network, or neither (null). */
export type KnownOrigin = { readonly device: string } | 'network' | null;

/** How long a device stays known after its last sign-in. */
export const DEVICE_LIFETIME_MS: number = 180 * 86_400_000;
const MAX_DEVICES = 40;

/** The secret of a device: its own one, or a new one. */
export function deviceSecret(given: string | null): string {
  return given !== null && /^[\w-]{43}$/.test(given) ? given : randomSecret(32);
}

/** Look up an origin. Without a user it takes the same steps and knows none. */
export async function findKnownOrigin(
  db: Database,
  userId: string | null,
  { device, address }: { readonly device: string | null; readonly address: string },
  now: Date,
): Promise<KnownOrigin> {
  const [ofDevice, ofNetwork] = [deviceHash(device ?? ''), networkHash(address)];
  const rows = await db
    .select({ hash: knownDevices.hash })
    .from(knownDevices)
    .where(
      and(
        eq(knownDevices.userId, userId ?? ''),
        inArray(knownDevices.hash, [ofDevice, ofNetwork]),
        gt(knownDevices.lastUsedAt, new Date(now.getTime() - DEVICE_LIFETIME_MS)),
      ),
    );
  if (device !== null && rows.some(({ hash }) => hash === ofDevice)) {
    // One device may be known to several accounts; what it does to one must not clear what counts for another.
    return { device: hashSecret(`${userId}:${ofDevice}`) };
  }
  // An unknown address is shared by all clients of a proxy.
  return address !== '' && rows.some(({ hash }) => hash === ofNetwork) ? 'network' : null;
}

/** Remember a device and its network. The user's oldest ones beyond the limit are forgotten. */
export async function rememberDevice(
  tx: Database,
  userId: string,
  { device, address }: { readonly device: string; readonly address: string },
  now: Date,
): Promise<void> {
  const rows = [deviceHash(device), networkHash(address)].map((hash) => ({
    userId,
    hash,
    createdAt: now,
    lastUsedAt: now,
  }));
  await tx
    .insert(knownDevices)
    .values(rows)
    .onConflictDoUpdate({ target: [knownDevices.userId, knownDevices.hash], set: { lastUsedAt: now } });
  const surplus = tx
    .select({ hash: knownDevices.hash })
    .from(knownDevices)
    .where(eq(knownDevices.userId, userId))
    .orderBy(desc(knownDevices.lastUsedAt), desc(knownDevices.hash))
    .offset(MAX_DEVICES);
  await tx.delete(knownDevices).where(and(eq(knownDevices.userId, userId), inArray(knownDevices.hash, surplus)));
  await tx.delete(knownDevices).where(lte(knownDevices.lastUsedAt, new Date(now.getTime() - DEVICE_LIFETIME_MS)));
}

/** Forget every device and network of a user. */
export async function forgetDevices(tx: Database, userId: string): Promise<void> {
  await tx.delete(knownDevices).where(eq(knownDevices.userId, userId));
}

function deviceHash(secret: string): string {
  return hashSecret(`device:${secret}`);
}

function networkHash(address: string): string {
  return hashSecret(`network:${addressKey(address)}`);
}
