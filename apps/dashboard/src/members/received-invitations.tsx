import type { Invitation } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { invitationsQuery } from '../api/invitations.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { toast } from '../ui/toasts.tsx';

/** Invitations to the signed-in user; nothing when there are none. */
export function ReceivedInvitations() {
  const queries = useQueryClient();
  const { data: invitations } = useQuery(invitationsQuery);
  const answer = useMutation({
    mutationFn: async ({
      invitation: { id },
      isAccepted,
    }: {
      readonly invitation: Invitation;
      readonly isAccepted: boolean;
    }) => (isAccepted ? await cloud().invitations.accept(id) : await cloud().invitations.decline(id)),
    onSuccess: async (_, { invitation: { project }, isAccepted }) => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: keys.invitations }),
        queries.invalidateQueries({ queryKey: keys.projects }),
      ]);
      toast(isAccepted ? `You are a member of ${project.name} now.` : `The invitation to ${project.name} is declined.`);
    },
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  if (invitations === undefined || invitations.length === 0) return null;
  return (
    <section className="ui-stack" aria-label="Invitations to you">
      {invitations.map((invitation) => (
        <div key={invitation.id} className="ui-panel members-received">
          <p>
            <strong>{invitation.invitedBy}</strong> invites you to the project{' '}
            <strong>{invitation.project.name}</strong>.{' '}
            <span className="ui-muted">
              The invitation ends <RelativeTime at={invitation.expiresAt} />.
            </span>
          </p>
          <div className="ui-actions">
            <Button
              look="primary"
              isPending={answer.isPending}
              onPress={() => answer.mutate({ invitation, isAccepted: true })}
            >
              Accept
            </Button>
            <Button onPress={() => answer.mutate({ invitation, isAccepted: false })}>Decline</Button>
          </div>
        </div>
      ))}
    </section>
  );
}
