import { cloud } from '../api/cloud.ts';
import { ConfirmLink } from './confirm-link.tsx';

export function VerifyEmailPage() {
  return (
    <ConfirmLink
      title="Confirm your e-mail address"
      action="Confirm the address"
      done="The address is confirmed."
      missing="Sign in: the page that asks for the confirmation sends another link."
      send={(link) => cloud().auth.verifyEmail(link)}
    />
  );
}
