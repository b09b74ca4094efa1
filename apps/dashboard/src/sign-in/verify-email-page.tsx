import { PageHead } from '../ui/page-head.tsx';

export function VerifyEmailPage() {
  return (
    <div className="ui-page">
      <PageHead title="Verify" />
    </div>
  );
}
