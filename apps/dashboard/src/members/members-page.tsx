import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useProject } from '../api/project.ts';
import { PageHead } from '../ui/page-head.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { InviteForm } from './invite-form.tsx';
import { MemberTable } from './member-table.tsx';
import { OpenInvitations } from './open-invitations.tsx';
import { ProjectPanel } from './project-panel.tsx';
import { ProjectsPanel } from './projects-panel.tsx';
import { ReceivedInvitations } from './received-invitations.tsx';
import './members.css';

export function MembersPage() {
  const project = useProject();
  return (
    <div className="ui-page">
      <PageHead title="Members" beside={project && <span className="ui-muted">of {project.name}</span>} />
      <ReceivedInvitations />
      {project === undefined ? (
        <Skeleton rows={4} height="2.75rem" />
      ) : (
        <Members project={project}>
          <ProjectPanel key={project.id} project={project} />
          <ProjectsPanel />
        </Members>
      )}
    </div>
  );
}

/** The panels below the members wait for them, so that they do not move. */
function Members({
  project,
  children,
}: {
  readonly project: NonNullable<ReturnType<typeof useProject>>;
  readonly children: ReactNode;
}) {
  const members = useQuery({
    queryKey: [...keys.members, project.id],
    queryFn: ({ signal }) => cloud().projects.members(project.id, { signal }),
  });
  const isOwner = project.role === 'owner';
  return (
    <>
      {isOwner && <InviteForm project={project} />}
      <QueryView query={members} skeleton={<Skeleton rows={4} height="2.75rem" />}>
        {(items) => (
          <>
            <MemberTable project={project} members={items} />
            <OpenInvitations project={project} />
            {children}
          </>
        )}
      </QueryView>
    </>
  );
}
