import { PageHead } from '../ui/page-head.tsx';

export function PipelinePage() {
  return (
    <div className="ui-page">
      <PageHead title="Pipeline" />
    </div>
  );
}
