import { PageHead } from '../ui/page-head.tsx';

export function UsersPage() {
  return (
    <div className="ui-page">
      <PageHead title="Users" />
    </div>
  );
}
