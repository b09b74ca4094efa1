import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { SignInFrame } from './sign-in-frame.tsx';

/** A page of a link that was opened without the link's secret. */
export function NoSecret({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <SignInFrame title={title} foot={<Link to="/login">Sign in</Link>}>
      <p>This address lacks the secret that follows the # of the link. Open the whole link.</p>
      <p className="ui-muted">{children}</p>
    </SignInFrame>
  );
}
