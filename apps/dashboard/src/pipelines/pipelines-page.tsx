import { PageHead } from '../ui/page-head.tsx';

export function PipelinesPage() {
  return (
    <div className="ui-page">
      <PageHead title="Pipelines" />
    </div>
  );
}
