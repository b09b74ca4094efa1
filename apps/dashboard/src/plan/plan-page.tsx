import { PageHead } from '../ui/page-head.tsx';

export function PlanPage() {
  return (
    <div className="ui-page">
      <PageHead title="Plan" />
    </div>
  );
}
