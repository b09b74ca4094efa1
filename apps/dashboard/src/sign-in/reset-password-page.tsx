import { PageHead } from '../ui/page-head.tsx';

export function ResetPasswordPage() {
  return (
    <div className="ui-page">
      <PageHead title="Reset" />
    </div>
  );
}
