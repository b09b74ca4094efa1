import { ButtonLink } from '../ui/button.tsx';
import { CopyCode } from '../ui/copy-code.tsx';
import { snippet } from '../ui/snippets.ts';
import { EmptyState } from '../ui/states.tsx';

export function NoRuns() {
  const code = snippet('curl', {
    url: window.location.origin,
    token: null,
    pipelineId: 'gpt-j:latest',
    prompt: 'Once upon a time',
    parameters: { max_new_tokens: 32 },
  });
  return (
    <EmptyState
      text="No run yet. Runs appear here within a second."
      action={
        <ButtonLink to="/playground" look="primary" icon="pen">
          Write in the playground
        </ButtonLink>
      }
    >
      <CopyCode tabs={[{ id: 'curl', label: 'curl', code: code.trimEnd() }]} />
    </EmptyState>
  );
}
