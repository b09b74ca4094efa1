import { AccountFrame } from './account-frame.tsx';
import { Appearance } from './appearance.tsx';
import { DeleteAccount } from './delete-account.tsx';
import { EmailAddress } from './email-address.tsx';
import { Profile } from './profile.tsx';

export function AccountPage() {
  return (
    <AccountFrame title="Account">
      <Profile />
      <EmailAddress />
      <Appearance />
      <DeleteAccount />
    </AccountFrame>
  );
}
