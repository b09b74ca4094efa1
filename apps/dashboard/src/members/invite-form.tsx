import type { Invited, Project } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toasts.tsx';

/** Invites by a username, or by an e-mail address, whichever the text is. */
export function InviteForm({ project }: { readonly project: Project }) {
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const invite = useMutation({
    mutationFn: (invited: Invited) => confirmed(() => cloud().projects.invite(project.id, invited)),
    onSuccess: async (_, invited) => {
      setText('');
      await queries.invalidateQueries({ queryKey: [...keys.members, project.id] });
      toast(
        'email' in invited
          ? `An invitation to ${invited.email} is open for two weeks.`
          : `If there is an account ${invited.username}, it has an invitation now.`,
      );
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const name = text.trim();
    if (name !== '' && !invite.isPending) invite.mutate(name.includes('@') ? { email: name } : { username: name });
  };
  return (
    <form className="members-invite" onSubmit={submit}>
      <Field
        label="Invite a member"
        hint="A username, or an e-mail address. Members make runs and read everything of the project; the plan of its owner pays."
        value={text}
        onChange={setText}
        maxLength={254}
        autoComplete="off"
      />
      <Button type="submit" look="primary" icon="send" isPending={invite.isPending} isDisabled={text.trim() === ''}>
        Invite
      </Button>
      {invite.error !== null && <ErrorPanel error={invite.error} />}
    </form>
  );
}
