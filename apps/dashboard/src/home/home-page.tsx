import { PageHead } from '../ui/page-head.tsx';

export function HomePage() {
  return (
    <div className="ui-page">
      <PageHead title="Home" />
    </div>
  );
}
