import { PageHead } from '../ui/page-head.tsx';

export function RegisterPage() {
  return (
    <div className="ui-page">
      <PageHead title="Register" />
    </div>
  );
}
