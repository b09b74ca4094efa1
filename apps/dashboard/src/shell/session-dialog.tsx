import { useSession } from '../api/session.ts';
import { SignInForm } from '../api/sign-in-form.tsx';
import { Dialog } from '../ui/dialog.tsx';

/** Over the page, which keeps its state: sign in again and go on. */
export function SessionDialog() {
  const { user } = useSession();
  return (
    <Dialog title="Your session has ended" isOpen onClose={() => undefined} canDismiss={false}>
      <p>Sign in again as {user.username} to go on where you were.</p>
      <SignInForm login={user.username} onSignedIn={() => undefined}>
        <a href="/login">Sign in as another user</a>
      </SignInForm>
    </Dialog>
  );
}
