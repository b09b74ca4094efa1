import type { Project } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toasts.tsx';

/** The name of the project, and deleting it, for its owner. */
export function ProjectPanel({ project }: { readonly project: Project }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(project.name);
  const [isDeleting, setDeleting] = useState(false);
  const rename = useMutation({
    mutationFn: () => cloud().projects.rename(project.id, name.trim()),
    onSuccess: async (changed) => {
      setName(changed.name);
      await queries.invalidateQueries({ queryKey: keys.projects });
      toast(`The project is called ${changed.name} now.`);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!rename.isPending) rename.mutate();
  };
  const remove = async (): Promise<void> => {
    await confirmed(() => cloud().projects.delete(project.id));
    await navigate({ to: '/members', search: { project: undefined } });
    await queries.invalidateQueries({ queryKey: keys.projects });
    toast(`The project ${project.name} is deleted.`);
  };
  return (
    <section className="ui-panel ui-stack">
      <div className="ui-panel-head members-head">
        <h2>Project</h2>
        <span className="members-id ui-muted">
          <code>{project.id}</code>
          <CopyButton text={project.id} label="Copy the id of the project" />
        </span>
      </div>
      {project.role === 'owner' ? (
        <>
          <form className="members-row" onSubmit={submit}>
            <Field label="Name" value={name} onChange={setName} maxLength={100} isRequired autoComplete="off" />
            <Button
              type="submit"
              isPending={rename.isPending}
              isDisabled={name.trim() === '' || name.trim() === project.name}
            >
              Rename
            </Button>
          </form>
          {rename.error !== null && <ErrorPanel error={rename.error} />}
          <div className="members-row">
            <p className="ui-muted">Only a project without runs and data can be deleted, and never the only one.</p>
            <Button look="danger" icon="trash" onPress={() => setDeleting(true)}>
              Delete the project
            </Button>
          </div>
        </>
      ) : (
        <p className="ui-muted">
          You are a member. Only the owner renames the project, and invites and removes members.
        </p>
      )}
      <Confirm
        title={`Delete ${project.name}`}
        action="Delete"
        typed={project.name}
        isOpen={isDeleting}
        onClose={() => setDeleting(false)}
        onConfirm={remove}
      >
        <p>Its tokens, tags, webhooks and members end with it. Its usage stays on the bill.</p>
      </Confirm>
    </section>
  );
}
