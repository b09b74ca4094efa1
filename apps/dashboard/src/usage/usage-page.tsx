import { PageHead } from '../ui/page-head.tsx';

export function UsagePage() {
  return (
    <div className="ui-page">
      <PageHead title="Usage" />
    </div>
  );
}
