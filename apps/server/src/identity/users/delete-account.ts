import { ApiError, type Proof } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { AccountDeps } from '../account-deps.ts';
import { confirmInPerson } from '../sessions/two-factor.ts';
import { type AccountContents, deleteProjects, takeContents } from './account-contents.ts';
import { FIRST_USER_ID } from './first-user.ts';
import type { User } from './user.ts';
import { deleteUser, lockUser, refuseLastOwner } from './user-store.ts';

/** Delete one's own account. Throws what `confirmInPerson` and `deleteAccount` throw. */
export async function deleteOwnAccount(deps: AccountDeps, user: User, proof: Proof, caller: Caller): Promise<void> {
  await confirmInPerson(deps, user, proof, caller);
  await deleteAccount(deps, user.id, caller);
}

/**
 * Delete an account with its sessions, tokens and projects, and the runs, data and files of these. What was used stays
 * in the meters, and what was done in the audit log: bills and evidence outlive what they are for.
 *
 * Throws `not_found`, and `conflict` with what to do first: for the first user, the last owner, shared projects, runs
 * that have not ended, and a subscription that goes on.
 */
export async function deleteAccount(deps: AccountDeps, id: string, caller: Caller): Promise<void> {
  const { db, clock, mailer, publicUrl } = deps;
  const deleted = await db.transaction(async (tx) => {
    await refuseLastOwner(tx, id);
    const user = await lockUser(tx, id, 'update');
    if (id === FIRST_USER_ID) {
      throw new ApiError('conflict', {
        reason: "the first account stays: this server's own token belongs to it",
        remedy: 'disable it, or give it to somebody else by changing its address and password',
      });
    }
    const contents = await takeContents(tx, id);
    refuseContents(contents);
    await deleteProjects(tx, contents.projectIds);
    await deleteUser(tx, id);
    const details = { projects: contents.projectIds.length, runs: contents.runs };
    await recordAudit(tx, clock(), caller, { action: 'user.delete', subject: id, details });
    return user;
  });
  mailer.send({
    to: deleted.email,
    subject: 'Your account was deleted',
    text: `Hello ${deleted.username},\n\nyour account on ${publicUrl()} was deleted, with everything it held.\n`,
  });
}

function refuseContents({ shared, openRuns, subscribed }: AccountContents): void {
  if (shared.length > 0) {
    throw new ApiError('conflict', {
      reason: `the account owns projects with other members: ${shared.slice(0, 5).join(', ')}`,
      remedy: 'remove the members first (DELETE /v2/projects/<id>/members/<user_id>)',
    });
  }
  if (openRuns > 0) {
    throw new ApiError('conflict', {
      reason: `${openRuns} runs of the account have not ended`,
      remedy: 'cancel them with POST /v2/runs/<id>/cancel, or wait',
    });
  }
  if (subscribed) {
    throw new ApiError('conflict', {
      reason: 'a subscription of the account goes on',
      remedy: 'end it first: change to a plan that costs nothing, and wait until what was paid for runs out',
    });
  }
}
