import { PageHead } from '../ui/page-head.tsx';

export function PlaygroundPage() {
  return (
    <div className="ui-page">
      <PageHead title="Playground" />
    </div>
  );
}
