import { PageHead } from '../ui/page-head.tsx';

export function AccountPage() {
  return (
    <div className="ui-page">
      <PageHead title="Account" />
    </div>
  );
}
