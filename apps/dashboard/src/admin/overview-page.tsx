import { PageHead } from '../ui/page-head.tsx';

export function OverviewPage() {
  return (
    <div className="ui-page">
      <PageHead title="Overview" />
    </div>
  );
}
