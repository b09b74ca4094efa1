/** The password, and the two-factor code where the account has one: what sensitive changes of the account need. */
import type { Confirmation } from '@gptj-cloud/sdk';
import { useState } from 'react';
import { useSession } from '../api/session.ts';
import { Field, PasswordField } from '../ui/field.tsx';

export interface Proof {
  readonly password: string;
  readonly code: string;
}

export const NO_PROOF: Proof = { password: '', code: '' };

export function useProof() {
  const [proof, setProof] = useState(NO_PROOF);
  return { proof, setProof, confirmation: confirmationOf(proof) };
}

function confirmationOf({ password, code }: Proof): Confirmation {
  return { password, ...(code.trim() !== '' && { code: code.trim() }) };
}

export function ProofFields({
  proof,
  onChange,
  label = 'Your password',
}: {
  readonly proof: Proof;
  readonly onChange: (proof: Proof) => void;
  readonly label?: string;
}) {
  const { user } = useSession();
  return (
    <>
      <PasswordField
        label={label}
        name="current-password"
        autoComplete="current-password"
        value={proof.password}
        onChange={(password) => onChange({ ...proof, password })}
        isRequired
      />
      {user.twoFactor && (
        <Field
          label="Two-factor code"
          name="code"
          autoComplete="one-time-code"
          hint="Six digits of the authenticator app, or a recovery code."
          value={proof.code}
          onChange={(code) => onChange({ ...proof, code })}
          isRequired
          isMono
        />
      )}
    </>
  );
}
