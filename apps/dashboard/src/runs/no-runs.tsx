import { ButtonLink } from '../ui/button.tsx';
import { CopyCode } from '../ui/copy-code.tsx';
import { EmptyState } from '../ui/states.tsx';

export function NoRuns() {
  const code = `curl ${window.location.origin}/v2/runs -H "Authorization: Bearer $TOKEN" \\
  -d '{"pipeline_id": "gpt-j:latest", "data": ["Once upon a time", {"max_new_tokens": 32}]}'`;
  return (
    <EmptyState
      text="No run yet. Runs appear here within a second."
      action={
        <ButtonLink to="/playground" look="primary" icon="pen">
          Write in the playground
        </ButtonLink>
      }
    >
      <CopyCode tabs={[{ id: 'curl', label: 'curl', code }]} />
    </EmptyState>
  );
}
