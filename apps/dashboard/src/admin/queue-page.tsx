import { PageHead } from '../ui/page-head.tsx';

export function QueuePage() {
  return (
    <div className="ui-page">
      <PageHead title="Queue" />
    </div>
  );
}
