import { PageHead } from '../ui/page-head.tsx';

export function ServerPage() {
  return (
    <div className="ui-page">
      <PageHead title="Server" />
    </div>
  );
}
