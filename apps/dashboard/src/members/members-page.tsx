import { useQueries, useQuery } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { invitationsQuery } from '../api/invitations.ts';
import { keys } from '../api/keys.ts';
import { useProject } from '../api/project.ts';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { Skeleton } from '../ui/states.tsx';
import { InviteForm } from './invite-form.tsx';
import { MemberTable } from './member-table.tsx';
import { OpenInvitations } from './open-invitations.tsx';
import { ProjectPanel } from './project-panel.tsx';
import { ProjectsPanel } from './projects-panel.tsx';
import { ReceivedInvitations } from './received-invitations.tsx';
import './members.css';

export function MembersPage() {
  const project = useProject();
  // The panels show together: each above would move those below when its reply comes.
  const received = useQuery(invitationsQuery);
  const [members, invitations] = useQueries({
    queries: [
      {
        queryKey: [...keys.members, project?.id],
        enabled: project !== undefined,
        queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
          cloud().projects.members(project?.id ?? '', { signal }),
      },
      {
        queryKey: [...keys.members, project?.id, 'invitations'],
        enabled: project !== undefined,
        queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
          cloud().projects.invitations(project?.id ?? '', { signal }),
      },
    ],
  });
  const error = members.error ?? invitations.error;
  const retry = (): void => {
    members.refetch().catch(() => undefined);
    invitations.refetch().catch(() => undefined);
  };
  const isReady =
    project !== undefined && members.data !== undefined && invitations.data !== undefined && !received.isPending;
  return (
    <div className="ui-page">
      <PageHead title="Members" beside={project && <span className="ui-muted">of {project.name}</span>} />
      {error !== null && <ErrorPanel error={error} onRetry={retry} />}
      {isReady ? (
        <>
          <ReceivedInvitations />
          {project.role === 'owner' && <InviteForm project={project} />}
          <MemberTable project={project} members={members.data} />
          <OpenInvitations project={project} invitations={invitations.data} />
          <ProjectPanel key={project.id} project={project} />
          <ProjectsPanel />
        </>
      ) : (
        error === null && <Skeleton rows={6} height="2.75rem" />
      )}
    </div>
  );
}
