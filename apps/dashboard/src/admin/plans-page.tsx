import { PageHead } from '../ui/page-head.tsx';

export function PlansPage() {
  return (
    <div className="ui-page">
      <PageHead title="Plans" />
    </div>
  );
}
