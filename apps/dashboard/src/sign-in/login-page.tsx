import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { cloud } from '../api/cloud.ts';
import { serverQuery } from '../api/server.ts';
import { SignInForm } from '../api/sign-in-form.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

const route = getRouteApi('/login');

export function LoginPage() {
  const { to } = route.useSearch();
  const router = useRouter();
  const { data: server } = useQuery(serverQuery);
  // Only a page of this server: `//other.example` is an address elsewhere.
  const next = to !== undefined && /^\/(?![/\\])/.test(to) ? to : '/';
  return (
    <SignInFrame
      title="Sign in"
      lead={
        server?.setUpNeeded
          ? 'This server is new: first open the link that it printed when it started. It sets up the account of its owner.'
          : undefined
      }
      foot={
        server !== undefined &&
        server.registration !== 'closed' && (
          <p>
            {server.registration === 'open' ? 'No account yet? ' : 'Invited by a project? '}
            <Link to="/register">Register</Link>
          </p>
        )
      }
    >
      <SignInForm onSignedIn={() => router.history.push(next)}>
        <p>
          <Link to="/forgot-password">Forgot the password?</Link>
        </p>
      </SignInForm>
      {server !== undefined && server.providers.length > 0 && (
        <>
          <p className="sign-in-or">or</p>
          {server.providers.map((provider) => (
            <a key={provider} className="ui-button ui-button-plain" href={cloud().auth.providerAddress(provider)}>
              Sign in with {provider === 'github' ? 'GitHub' : provider}
            </a>
          ))}
        </>
      )}
    </SignInFrame>
  );
}
