import { getRouteApi, useRouter } from '@tanstack/react-router';
import { SignInForm } from '../api/sign-in-form.tsx';

const route = getRouteApi('/login');

export function LoginPage() {
  const { to } = route.useSearch();
  const router = useRouter();
  // Only a page of this server: `//other.example` is an address elsewhere.
  const next = to !== undefined && /^\/(?![/\\])/.test(to) ? to : '/';
  return (
    <main className="ui-page">
      <title>Sign in · gptj-cloud</title>
      <h1>Sign in</h1>
      <SignInForm onSignedIn={() => router.history.push(next)} />
    </main>
  );
}
