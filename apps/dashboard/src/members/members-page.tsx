import { PageHead } from '../ui/page-head.tsx';

export function MembersPage() {
  return (
    <div className="ui-page">
      <PageHead title="Members" />
    </div>
  );
}
