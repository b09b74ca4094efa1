import { PageHead } from '../ui/page-head.tsx';

export function SecurityPage() {
  return (
    <div className="ui-page">
      <PageHead title="Security" />
    </div>
  );
}
