import { NotFoundError } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { projectsQuery } from '../api/session.ts';
import { ButtonLink } from '../ui/button.tsx';

const MAX_ASKED = 20;

/** A link to the run where another project of the account has it. */
export function OtherProject({ runId }: { readonly runId: string }) {
  const { data: projects = [] } = useQuery(projectsQuery);
  const { data: owner } = useQuery({
    queryKey: [...keys.run(runId), 'project', projects.length],
    enabled: projects.length > 1,
    queryFn: async ({ signal }) => {
      for (const project of projects.slice(0, MAX_ASKED)) {
        try {
          await cloud().withProject(project.id).getRun(runId, { signal });
          return project;
        } catch (error) {
          if (!(error instanceof NotFoundError)) throw error;
        }
      }
      return null;
    },
  });
  return (
    <>
      {owner && (
        <ButtonLink to="/runs/$runId" params={{ runId }} search={{ project: owner.id }} look="primary" size="small">
          Switch to {owner.name}
        </ButtonLink>
      )}
      <ButtonLink to="/runs" size="small" icon="list">
        All runs
      </ButtonLink>
    </>
  );
}
