import type { Member, Project } from '@gptj-cloud/sdk';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { Pager } from '../ui/pager.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { toast } from '../ui/toasts.tsx';

/** The server sends all members at once. */
const PER_PAGE = 50;

export function MemberTable({ project, members }: { readonly project: Project; readonly members: readonly Member[] }) {
  const { user } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [skip, setSkip] = useState(0);
  // The last page may be gone with its last member.
  const start = Math.min(skip, PER_PAGE * Math.floor(Math.max(0, members.length - 1) / PER_PAGE));
  const [leaving, setLeaving] = useState<Member | null>(null);
  const isOwner = project.role === 'owner';
  const remove = async (member: Member): Promise<void> => {
    await confirmed(() => cloud().projects.removeMember(project.id, member.userId));
    if (member.userId === user.id) {
      await navigate({ to: '/', search: { project: undefined } });
      await queries.invalidateQueries({ queryKey: keys.projects });
      toast(`You have left ${project.name}.`);
      return;
    }
    await queries.invalidateQueries({ queryKey: [...keys.members, project.id] });
    toast(`${member.username} is no member of ${project.name} any more.`);
  };
  const columns: readonly TableColumn<Member>[] = [
    {
      id: 'name',
      name: 'Username',
      isTitle: true,
      cell: ({ username, userId }) => (
        <span className="members-name">
          {username}
          {userId === user.id && <span className="ui-muted"> (you)</span>}
        </span>
      ),
    },
    { id: 'role', name: 'Role', width: '8rem', cell: ({ role }) => role },
    { id: 'added', name: 'Joined', width: '9rem', cell: ({ addedAt }) => <RelativeTime at={addedAt} /> },
    {
      id: 'actions',
      name: '',
      width: '7rem',
      align: 'end',
      cell: (member) => {
        const isSelf = member.userId === user.id;
        if (member.role === 'owner' || !(isSelf || isOwner)) return null;
        return (
          <Button look="quiet" size="small" onPress={() => setLeaving(member)}>
            {isSelf ? 'Leave' : 'Remove'}
          </Button>
        );
      },
    },
  ];
  const isSelf = leaving?.userId === user.id;
  return (
    <section className="ui-stack">
      <DataTable
        label="Members"
        columns={columns}
        items={members.slice(start, start + PER_PAGE)}
        idOf={({ userId }) => userId}
      />
      <Pager label="Pages of members" skip={start} limit={PER_PAGE} total={members.length} onSkip={setSkip} />
      {members.length === 1 && isOwner && (
        <p className="ui-muted">Only you. Invite others by their username or address.</p>
      )}
      {leaving !== null && (
        <Confirm
          title={isSelf ? `Leave ${project.name}` : `Remove ${leaving.username}`}
          action={isSelf ? 'Leave' : 'Remove'}
          isOpen
          onClose={() => setLeaving(null)}
          onConfirm={() => remove(leaving)}
        >
          <p>
            {isSelf
              ? 'Your tokens of this project end. Its owner can invite you again.'
              : `The tokens of ${leaving.username} in this project end. Runs and data of the project stay.`}
          </p>
        </Confirm>
      )}
    </section>
  );
}
