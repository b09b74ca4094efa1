import { PageHead } from '../ui/page-head.tsx';

export function SetUpPage() {
  return (
    <div className="ui-page">
      <PageHead title="Set-up" />
    </div>
  );
}
