import { PageHead } from '../ui/page-head.tsx';

export function ForgotPasswordPage() {
  return (
    <div className="ui-page">
      <PageHead title="Forgot" />
    </div>
  );
}
