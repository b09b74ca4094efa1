/** The project of the address. */
import type { Project } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { projectsQuery } from './session.ts';

/** Undefined until the projects of the account are known. */
export function useProject(): Project | undefined {
  const { project: id } = useSearch({ from: '__root__' });
  const { data: projects } = useQuery(projectsQuery);
  return projects?.find((project) => project.id === id) ?? projects?.[0];
}
