import { PageHead } from '../ui/page-head.tsx';

export function AuditPage() {
  return (
    <div className="ui-page">
      <PageHead title="Audit log" />
    </div>
  );
}
