import { PageHead } from '../ui/page-head.tsx';

export function RunsPage() {
  return (
    <div className="ui-page">
      <PageHead title="Runs" />
    </div>
  );
}
