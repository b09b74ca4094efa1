import { PageHead } from '../ui/page-head.tsx';

export function RunPage() {
  return (
    <div className="ui-page">
      <PageHead title="Run" />
    </div>
  );
}
