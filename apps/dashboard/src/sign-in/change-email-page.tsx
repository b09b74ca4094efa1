import { cloud } from '../api/cloud.ts';
import { ConfirmLink } from './confirm-link.tsx';

export function ChangeEmailPage() {
  return (
    <ConfirmLink
      title="Change to this e-mail address"
      action="Change the address"
      done="The address is changed. Sign in with it from now on."
      missing="Sign in and request the change again, on the page of your account."
      send={(link) => cloud().auth.confirmEmail(link)}
    />
  );
}
