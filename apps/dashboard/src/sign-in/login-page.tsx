import { PageHead } from '../ui/page-head.tsx';

export function LoginPage() {
  return (
    <div className="ui-page">
      <PageHead title="Sign-in" />
    </div>
  );
}
