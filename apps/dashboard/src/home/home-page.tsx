import { ButtonLink } from '../ui/button.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { ModelPanel } from './model-panel.tsx';
import { PlanPanel } from './plan-panel.tsx';
import { RunsPanel } from './runs-panel.tsx';
import { SnippetPanel } from './snippet-panel.tsx';
import { TokenPanel } from './token-panel.tsx';
import './room.css';

export function HomePage() {
  return (
    <div className="ui-page">
      <PageHead title="Home">
        <ButtonLink to="/playground" look="primary" icon="pen">
          Write
        </ButtonLink>
      </PageHead>
      <TokenPanel />
      <SnippetPanel />
      <div className="home-pair">
        <PlanPanel />
        <ModelPanel />
      </div>
      <RunsPanel />
    </div>
  );
}
