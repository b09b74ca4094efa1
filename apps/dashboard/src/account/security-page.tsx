import { AccountFrame } from './account-frame.tsx';
import { Identities } from './identities.tsx';
import { Password } from './password.tsx';
import { TwoFactor } from './two-factor.tsx';

export function SecurityPage() {
  return (
    <AccountFrame title="Security">
      <Password />
      <TwoFactor />
      <Identities />
    </AccountFrame>
  );
}
