import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { projectsQuery } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toasts.tsx';

/** A way to another project. The project switcher lists them. */
export function ProjectsPanel() {
  const { data: projects } = useQuery(projectsQuery);
  const [isOpen, setOpen] = useState(false);
  return (
    <section className="ui-panel members-row">
      <p className="ui-muted">
        {projects !== undefined && projects.length > 1
          ? `You are in ${projects.length} projects; the switcher of the side bar leads to the others.`
          : 'Another project has tokens, runs and members of its own.'}
      </p>
      <Button icon="plus" onPress={() => setOpen(true)}>
        New project
      </Button>
      {isOpen && <NewProjectDialog onClose={() => setOpen(false)} />}
    </section>
  );
}

function NewProjectDialog({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const form = useId();
  const create = useMutation({
    mutationFn: () => cloud().projects.create(name.trim()),
    onSuccess: async ({ id, name: made }) => {
      await queries.invalidateQueries({ queryKey: keys.projects });
      onClose();
      await navigate({ to: '/members', search: { project: id } });
      toast(`This is the project ${made} now.`);
    },
  });
  return (
    <Dialog
      title="New project"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={create.isPending} isDisabled={name.trim() === ''}>
            Create
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (!create.isPending) create.mutate();
        }}
      >
        <Field label="Name" value={name} onChange={setName} maxLength={100} isRequired autoFocus autoComplete="off" />
        {create.error !== null && <ErrorPanel error={create.error} />}
      </form>
    </Dialog>
  );
}
