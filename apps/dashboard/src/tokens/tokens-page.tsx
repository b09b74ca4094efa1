import { PageHead } from '../ui/page-head.tsx';

export function TokensPage() {
  return (
    <div className="ui-page">
      <PageHead title="API tokens" />
    </div>
  );
}
