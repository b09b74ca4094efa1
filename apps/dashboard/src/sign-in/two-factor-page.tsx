import { PageHead } from '../ui/page-head.tsx';

export function TwoFactorPage() {
  return (
    <div className="ui-page">
      <PageHead title="Two-factor" />
    </div>
  );
}
