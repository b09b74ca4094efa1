import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'react-aria-components';
import { useProject } from '../api/project.ts';
import { projectsQuery } from '../api/session.ts';
import { Icon } from '../ui/icons.tsx';
import { Menu } from '../ui/menu.tsx';

/** The project of the page, and a menu of all others. */
export function ProjectSwitcher() {
  const navigate = useNavigate();
  const { data: projects } = useQuery(projectsQuery);
  const first = projects?.[0];
  const current = useProject();
  const go = (id: string): void => {
    // Ids in the address belong to the former project, so that its lists are the nearest page.
    const to = window.location.pathname.split('/').length > 2 ? '/' : '.';
    void navigate({ to, search: id === first?.id ? { project: undefined } : { project: id } } as never);
  };
  return (
    <Menu
      label="Projects"
      trigger={
        <Button className="shell-project" aria-label={`Project ${current?.name ?? ''}: switch`}>
          {/* By the style sheet: text here would belong to what is read as the button's name. */}
          <span className="shell-project-letter" data-letter={(current?.name ?? '').slice(0, 1).toUpperCase()} />
          <span className="ui-cut">{current?.name ?? '\u00a0'}</span>
          <Icon name="sort" />
        </Button>
      }
      groups={[
        {
          title: 'Projects',
          entries: (projects ?? []).map(({ id, name, role }) => ({
            id,
            label: name,
            icon: id === current?.id ? ('check' as const) : ('layers' as const),
            note: role,
            onAction: () => go(id),
          })),
        },
        {
          entries: [
            {
              id: 'all-projects',
              label: 'Members and projects',
              icon: 'people',
              onAction: () => void navigate({ to: '/members' }),
            },
          ],
        },
      ]}
    />
  );
}
