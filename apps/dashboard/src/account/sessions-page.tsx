import { PageHead } from '../ui/page-head.tsx';

export function SessionsPage() {
  return (
    <div className="ui-page">
      <PageHead title="Sessions" />
    </div>
  );
}
