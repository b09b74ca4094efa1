import { ApiError, type Proof } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { ContentsDeps, MailDeps, PasswordDeps } from '../account-deps.ts';
import { deleteProjects, lockOwnedProjects } from '../projects/project-store.ts';
import { confirmInPerson } from '../two-factor/two-factor.ts';
import { FIRST_USER_ID } from './first-user.ts';
import type { User } from './user.ts';
import { deleteUser, lockUser, refuseLastOwner } from './user-store.ts';

/** Delete the caller's own account. Throws what `confirmInPerson` and `deleteAccount` throw. */
export async function deleteOwnAccount(
  deps: ContentsDeps & MailDeps & PasswordDeps,
  user: User,
  proof: Proof,
  caller: Caller,
): Promise<void> {
  await confirmInPerson(deps, user, proof, caller);
  await deleteAccount(deps, user.id, caller);
}

/**
 * Delete an account with its sessions, tokens and projects, and the runs, data and files of the projects. Metered usage
 * and the audit log are kept for billing and investigations.
 *
 * Throws `not_found`, and `conflict` with the remedy for the first user, the last owner, shared projects, runs that have
 * not ended, and an active subscription.
 */
export async function deleteAccount(deps: ContentsDeps & MailDeps, id: string, caller: Caller): Promise<void> {
  const { db, clock, contents, mailer, publicUrl } = deps;
  const deleted = await db.transaction(async (tx) => {
    await refuseLastOwner(tx, id);
    const user = await lockUser(tx, id, 'update');
    if (id === FIRST_USER_ID) {
      throw new ApiError('conflict', {
        reason: "the first account cannot be deleted: this server's own token belongs to it",
        remedy: 'disable it, or hand it over by changing its address and password',
      });
    }
    const projects = await lockOwnedProjects(tx, id);
    const projectIds = projects.map((project) => project.id);
    refuseShared(projects.filter(({ isShared }) => isShared).map(({ name }) => name));
    const runs = await countEndedRuns(deps, tx, projectIds);
    if (await contents.hasActiveSubscription(tx, id)) {
      throw new ApiError('conflict', {
        reason: 'the account has an active subscription',
        remedy: 'end it first: change to a free plan, and wait until the paid period ends',
      });
    }
    await contents.deleteInProjects(tx, projectIds);
    await deleteProjects(tx, projectIds);
    await deleteUser(tx, id);
    const details = { projects: projectIds.length, runs };
    await recordAudit(tx, clock(), caller, { action: 'user.delete', subject: id, details });
    return user;
  });
  mailer.send({
    to: deleted.email,
    subject: 'Your account was deleted',
    text: `Hello ${deleted.username},\n\nyour account on ${publicUrl()} was deleted, with everything it held.\n`,
  });
}

function refuseShared(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new ApiError('conflict', {
    reason: `the account owns projects with other members: ${names.slice(0, 5).join(', ')}`,
    remedy: 'remove the members first (DELETE /v2/projects/<id>/members/<user_id>)',
  });
}

/** How many runs the projects hold. Throws `conflict` while some of them have not ended. */
async function countEndedRuns(
  { contents }: ContentsDeps,
  tx: Database,
  projectIds: readonly string[],
): Promise<number> {
  const counts = [...(await contents.countInProjects(tx, projectIds)).values()];
  const openRuns = counts.reduce((sum, each) => sum + each.openRuns, 0);
  if (openRuns > 0) {
    throw new ApiError('conflict', {
      reason: `${openRuns} runs of the account have not ended`,
      remedy: 'cancel them with POST /v2/runs/<id>/cancel, or wait',
    });
  }
  return counts.reduce((sum, each) => sum + each.runs, 0);
}
