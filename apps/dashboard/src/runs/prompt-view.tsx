import { useQuery } from '@tanstack/react-query';
import { CopyButton } from '../ui/copy.tsx';
import { formatPlural } from '../ui/formats.ts';
import { QueryView } from '../ui/states.tsx';
import { inputQuery, promptQuery } from './run-input.ts';

export function PromptView({ runId }: { readonly runId: string }) {
  const input = useQuery(inputQuery(runId));
  return <QueryView query={input}>{({ prompt }) => <Prompt runId={runId} prompt={prompt} />}</QueryView>;
}

function Prompt({ runId, prompt }: { readonly runId: string; readonly prompt: string | readonly number[] }) {
  const text = useQuery(promptQuery(runId, prompt));
  return (
    <QueryView query={text}>
      {(shown) => (
        <section className="ui-panel ui-stack">
          <div className="ui-panel-head">
            <span className="ui-muted">
              {typeof prompt === 'string'
                ? formatPlural(Array.from(prompt).length, 'letter')
                : `sent as ${formatPlural(prompt.length, 'token id')}`}
            </span>
            <CopyButton text={shown}>Copy</CopyButton>
          </div>
          <div className="runs-prose" dir="auto">
            {shown}
          </div>
        </section>
      )}
    </QueryView>
  );
}
