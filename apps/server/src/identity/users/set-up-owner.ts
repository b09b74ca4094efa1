import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { PasswordDeps, StoreDeps } from '../account-deps.ts';
import { refuseCommonPassword } from '../sessions/common-password.ts';
import { createLink, deleteLinks, findLink, hasLink, useLink } from './account-link-store.ts';
import { FIRST_USER_ID } from './first-user.ts';
import type { User } from './user.ts';
import { findUser, lockUser, refuseTaken, updateUser } from './user-store.ts';

/** The first owner in the settings. */
export interface OwnerSettings {
  readonly email: string;
  readonly username: string;
  readonly password: string;
}

const SERVER: Caller = { userId: null, apiKeyId: null, address: '', requestId: 'start' };

/** What a start did with the owner's account: nothing, set it up from the settings, or created a link for it. */
export type EnsuredOwner = 'unchanged' | 'set_up' | { readonly linkSecret: string };

/**
 * Make sure that an operator can sign in as the first user. Until the first user has a password, it is set up from the
 * settings, or by a link: created once, and again only after it has expired unused. `keep` keeps the link's secret for the
 * operator, before it is stored: a link that is lost is never valid.
 */
export async function ensureOwner(
  deps: PasswordDeps,
  owner: OwnerSettings | null,
  keep: (linkSecret: string) => Promise<void> = async () => {},
): Promise<EnsuredOwner> {
  const user = await findUser(deps.db, FIRST_USER_ID);
  if (user === null || user.passwordHash !== null) return 'unchanged';
  if (owner === null) {
    const linkSecret = await createSetUpLink(deps, keep);
    return linkSecret === null ? 'unchanged' : { linkSecret };
  }
  await setUpFirstUser(deps, owner, SERVER);
  return 'set_up';
}

/** Whether the first user's account still waits for its password. */
export async function needsSetUp(db: Database): Promise<boolean> {
  const user = await findUser(db, FIRST_USER_ID);
  return user !== null && user.passwordHash === null;
}

/** If several servers start at the same time on one store, only one creates the link. */
async function createSetUpLink(
  { db, clock }: StoreDeps,
  keep: (linkSecret: string) => Promise<void>,
): Promise<string | null> {
  return await db.transaction(async (tx) => {
    const user = await lockUser(tx, FIRST_USER_ID);
    if (user.passwordHash !== null || (await hasLink(tx, 'set_up', user.id, clock()))) return null;
    const linkSecret = await createLink(tx, 'set_up', user, clock());
    await keep(linkSecret);
    return linkSecret;
  });
}

/** Set up the first user by the link that the first start printed. Throws `link_invalid`, `already_exists`. */
export async function setUp(
  deps: PasswordDeps,
  request: OwnerSettings & { readonly token: string },
  caller: Caller,
): Promise<User> {
  return await setUpFirstUser(deps, request, caller, request.token);
}

async function setUpFirstUser(deps: PasswordDeps, owner: OwnerSettings, caller: Caller, token?: string): Promise<User> {
  const { db, clock } = deps;
  refuseCommonPassword('body->password', owner.password, owner);
  // A hash costs a core's tenths of a second, so the link is looked at first; the transaction uses it up.
  if (token !== undefined) await findLink(db, 'set_up', token, clock());
  const passwordHash = await deps.passwords.hash(owner.password);
  return await db.transaction(async (tx) => {
    if (token !== undefined) await useLink(tx, 'set_up', token, clock());
    await deleteLinks(tx, ['set_up'], FIRST_USER_ID);
    const { email, username } = owner;
    await refuseTaken(tx, { email, username }, FIRST_USER_ID);
    await recordAudit(tx, clock(), caller, { action: 'user.set_up', subject: FIRST_USER_ID, details: { username } });
    // An operator who sets the server's environment or reads its output needs no further proof of the address.
    return await updateUser(tx, FIRST_USER_ID, { email, username, passwordHash, verifiedAt: clock() }, clock());
  });
}
