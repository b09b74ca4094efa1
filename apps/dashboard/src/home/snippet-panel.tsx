import { PipelineCloud, type Run } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { type CodeTab, CopyCode } from '../ui/copy-code.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { formatDuration, formatPlural } from '../ui/formats.ts';
import { SNIPPET_LANGUAGES, type SnippetRun, snippet } from '../ui/snippets.ts';
import { useKnownToken } from './known-token.ts';

const PIPELINE_ID = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const PROMPT = 'Once upon a time';
const PARAMETERS = { response_length: 64, seed: 7 } as const;
const LANGUAGE = 'gptj-language';

/** A first run in five languages, and its reply. */
export function SnippetPanel() {
  const queries = useQueryClient();
  const known = useKnownToken();
  const [language, setLanguage] = useState(() => localStorage.getItem(LANGUAGE) ?? 'curl');
  const run: SnippetRun = {
    url: window.location.origin,
    token: known?.value ?? null,
    pipelineId: PIPELINE_ID,
    prompt: PROMPT,
    parameters: PARAMETERS,
  };
  const [first, ...others] = SNIPPET_LANGUAGES.map(
    ({ id, label }): CodeTab => ({ id, label, code: snippet(id, run).trimEnd() }),
  );
  const send = useMutation({
    mutationFn: () => {
      // With the token that is on the page, as the snippet sends it; else in the session of this browser.
      const client = known === null ? cloud() : new PipelineCloud({ token: known.value, url: run.url });
      return client.runPipeline(PIPELINE_ID, [PROMPT, PARAMETERS]);
    },
    onSettled: async () => {
      await Promise.all([keys.runs, keys.limits].map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
  if (first === undefined) return null;
  return (
    <section className="ui-panel" aria-labelledby="home-run">
      <div className="ui-panel-head">
        <h2 id="home-run">Run it</h2>
        {known === null && (
          <span className="ui-muted">
            The programs read the token from <code>PIPELINE_API_TOKEN</code>.
          </span>
        )}
      </div>
      <CopyCode
        tabs={[first, ...others]}
        selected={language}
        onSelect={(id) => {
          localStorage.setItem(LANGUAGE, id);
          setLanguage(id);
        }}
        actions={
          <Button size="small" look="primary" icon="play" isPending={send.isPending} onPress={() => send.mutate()}>
            Run here
          </Button>
        }
      >
        {send.error !== null ? <ErrorPanel error={send.error} /> : send.data && <Reply run={send.data} />}
      </CopyCode>
    </section>
  );
}

function Reply({ run }: { readonly run: Run }) {
  const { usage, errorInfo, resultPreview } = run;
  return (
    <div className="home-reply" role="status">
      <p className="home-reply-text">
        {errorInfo === null ? (
          <>
            {PROMPT}
            <span className="home-reply-generated">{textOf(resultPreview)}</span>
          </>
        ) : (
          errorInfo.exception
        )}
      </p>
      <p className="ui-muted">
        {usage !== null && `${formatPlural(usage.generatedTokens, 'token')} · `}
        {run.startedAt !== null && run.endedAt !== null && (
          <>{formatDuration(run.endedAt.getTime() - run.startedAt.getTime())} · </>
        )}
        <Link to="/runs/$runId" params={{ runId: run.id }}>
          Open the run
        </Link>{' '}
        ·{' '}
        <Link to="/playground" search={{ run: run.id }}>
          Write on in the playground
        </Link>
      </p>
    </div>
  );
}

/** The first text of a preview: the pipeline returns a list of texts, or of lists of texts. */
function textOf(preview: unknown): string {
  if (typeof preview === 'string') return preview;
  if (Array.isArray(preview) && preview.length > 0) return textOf(preview[0]);
  return JSON.stringify(preview) ?? '';
}
