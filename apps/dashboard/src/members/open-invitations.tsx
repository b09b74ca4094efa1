import type { Invitation, Project } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { toast } from '../ui/toasts.tsx';

/** The invitations to a project that wait for an answer; nothing when there are none. */
export function OpenInvitations({
  project,
  invitations,
}: {
  readonly project: Project;
  readonly invitations: readonly Invitation[];
}) {
  const queries = useQueryClient();
  const withdraw = useMutation({
    mutationFn: ({ id }: Invitation) => cloud().projects.withdrawInvitation(project.id, id),
    onSuccess: async (_, invitation) => {
      await queries.invalidateQueries({ queryKey: [...keys.members, project.id] });
      toast(`The invitation of ${nameOf(invitation)} is withdrawn.`);
    },
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  const columns: readonly TableColumn<Invitation>[] = [
    {
      id: 'invited',
      name: 'Invited',
      isTitle: true,
      cell: (invitation) => <span className="members-name">{nameOf(invitation)}</span>,
    },
    { id: 'by', name: 'By', width: '8rem', cell: ({ invitedBy }) => invitedBy },
    { id: 'ends', name: 'Ends', width: '9rem', cell: ({ expiresAt }) => <RelativeTime at={expiresAt} /> },
    {
      id: 'actions',
      name: '',
      width: '7rem',
      align: 'end',
      cell: (invitation) =>
        project.role === 'owner' && (
          <Button look="quiet" size="small" onPress={() => withdraw.mutate(invitation)}>
            Withdraw
          </Button>
        ),
    },
  ];
  if (invitations.length === 0) return null;
  return (
    <section className="ui-stack">
      <h2>Open invitations</h2>
      <DataTable label="Open invitations" columns={columns} items={invitations} idOf={({ id }) => id} />
    </section>
  );
}

function nameOf({ email, username }: Invitation): string {
  return email ?? username ?? 'an account';
}
