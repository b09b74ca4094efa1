import { PageHead } from '../ui/page-head.tsx';

export function ChangeEmailPage() {
  return (
    <div className="ui-page">
      <PageHead title="Change" />
    </div>
  );
}
