import { PageHead } from '../ui/page-head.tsx';

export function WebhooksPage() {
  return (
    <div className="ui-page">
      <PageHead title="Webhooks" />
    </div>
  );
}
