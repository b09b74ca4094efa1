import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { changeUser, useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { fieldErrorsOf } from '../ui/problem.ts';
import { toast } from '../ui/toasts.tsx';
import { Subject } from './account-frame.tsx';

export function Profile() {
  const { user } = useSession();
  const queries = useQueryClient();
  const [fields, setFields] = useState({
    username: user.username,
    firstname: user.firstname ?? '',
    lastname: user.lastname ?? '',
    company: user.company ?? '',
    jobTitle: user.jobTitle ?? '',
  });
  const save = useMutation({
    mutationFn: () =>
      cloud().users.changeProfile({
        ...(fields.username !== user.username && { username: fields.username }),
        // Null clears a field.
        firstname: fields.firstname.trim() || null,
        lastname: fields.lastname.trim() || null,
        company: fields.company.trim() || null,
        jobTitle: fields.jobTitle.trim() || null,
      }),
    onSuccess: (changed) => {
      changeUser(queries, changed);
      toast('The profile is saved.');
    },
  });
  const errors = save.error === null ? {} : fieldErrorsOf(save.error);
  const field = (name: keyof typeof fields, label: string, autoComplete: string, wireName: string = name) => (
    <Field
      label={label}
      name={name}
      autoComplete={autoComplete}
      value={fields[name]}
      onChange={(value) => setFields({ ...fields, [name]: value })}
      error={errors[wireName]}
      maxLength={100}
    />
  );
  return (
    <Subject title="Profile" note="Members of your projects see the username.">
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!save.isPending) save.mutate();
        }}
      >
        {field('username', 'Username', 'username')}
        <div className="account-pair">
          {field('firstname', 'First name', 'given-name')}
          {field('lastname', 'Last name', 'family-name')}
        </div>
        <div className="account-pair">
          {field('company', 'Company', 'organization')}
          {field('jobTitle', 'Job title', 'organization-title', 'job_title')}
        </div>
        {save.error !== null && Object.keys(errors).length === 0 && <ErrorPanel error={save.error} />}
        <div className="ui-actions">
          <Button type="submit" isPending={save.isPending}>
            Save the profile
          </Button>
        </div>
      </form>
    </Subject>
  );
}
