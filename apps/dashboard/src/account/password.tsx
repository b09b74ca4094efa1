import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { PasswordField } from '../ui/field.tsx';
import { fieldErrorsOf, problemOf } from '../ui/problem.ts';
import { Checkbox } from '../ui/switch.tsx';
import { toast } from '../ui/toasts.tsx';
import { Subject } from './account-frame.tsx';
import { NO_PROOF, ProofFields, useProof } from './proof.tsx';

export function Password() {
  const { user } = useSession();
  const { proof, setProof, confirmation } = useProof();
  const [newPassword, setNewPassword] = useState('');
  const [revokeTokens, setRevokeTokens] = useState(false);
  const change = useMutation({
    mutationFn: () => {
      const { password: currentPassword, code } = confirmation;
      return cloud().auth.changePassword({ currentPassword, newPassword, revokeTokens, code });
    },
    onSuccess: () => {
      setProof(NO_PROOF);
      setNewPassword('');
      setRevokeTokens(false);
      toast(`The password is changed. All other sessions${revokeTokens ? ' and your API tokens' : ''} have ended.`);
    },
  });
  const errors = change.error === null ? {} : fieldErrorsOf(change.error);
  const isUnset = change.error !== null && problemOf(change.error).code === 'password_not_set';
  return (
    <Subject title="Password" note="A change ends all other sessions.">
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!change.isPending) change.mutate();
        }}
      >
        {/* For password managers. */}
        <input
          className="ui-hidden"
          type="text"
          autoComplete="username"
          value={user.username}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <ProofFields proof={proof} onChange={setProof} label="Present password" />
        <PasswordField
          label="New password"
          name="new-password"
          autoComplete="new-password"
          hint="At least 8 characters; the server refuses common ones."
          value={newPassword}
          onChange={setNewPassword}
          error={errors.new_password}
          minLength={8}
          isRequired
        />
        <Checkbox
          isSelected={revokeTokens}
          onChange={setRevokeTokens}
          hint="For a password that others may know: programs then need new tokens."
        >
          End my API tokens as well
        </Checkbox>
        {change.error !== null && Object.keys(errors).length === 0 && (
          <ErrorPanel error={change.error}>
            {isUnset && <Link to="/forgot-password">Get a link to set a password</Link>}
          </ErrorPanel>
        )}
        <div className="ui-actions">
          <Button type="submit" isPending={change.isPending}>
            Change the password
          </Button>
        </div>
      </form>
    </Subject>
  );
}
