import { PageHead } from '../ui/page-head.tsx';

export function WebhookPage() {
  return (
    <div className="ui-page">
      <PageHead title="Webhook" />
    </div>
  );
}
