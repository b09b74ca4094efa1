import type { Run } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { Button } from '../ui/button.tsx';
import { isCancelled } from '../ui/cancelled.ts';
import { CopyButton } from '../ui/copy.tsx';
import { download } from '../ui/download.ts';
import { formatDecimals } from '../ui/formats.ts';
import { Json } from '../ui/json.tsx';
import { problemOf } from '../ui/problem.ts';
import { EmptyState, Skeleton } from '../ui/states.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { toast } from '../ui/toasts.tsx';
import { LiveText } from './live-text.tsx';
import { type RunResult, resultOf } from './run-result.ts';

const ResultTokens = lazy(async () => ({ default: (await import('./result-tokens.tsx')).ResultTokens }));

type View = 'text' | 'tokens' | 'json';

export function ResultView({ run }: { readonly run: Run }) {
  const [view, setView] = useState<View>('text');
  const result = useMemo(() => resultOf(run), [run]);
  if (run.endedAt === null) return <LiveText runId={run.id} />;
  if (run.result === null) {
    const state = isCancelled(run.errorInfo?.exception ?? null) ? 'cancelled' : 'failed';
    return <EmptyState text={`A ${state} run has no result.`} />;
  }
  if (result === null) {
    return (
      <EmptyState
        text="The result is over a million letters long: too long to be shown here."
        action={<DownloadPickle run={run} />}
      />
    );
  }
  return (
    <Tabs
      label="Forms of the result"
      look="box"
      selected={view}
      onSelect={setView}
      end={<DownloadPickle run={run} />}
      tabs={[
        { id: 'text', label: 'Text', content: <Texts result={result} /> },
        {
          id: 'tokens',
          label: 'Tokens',
          content: (
            <Suspense fallback={<Skeleton rows={4} />}>
              <ResultTokens run={run} result={result} />
            </Suspense>
          ),
        },
        { id: 'json', label: 'JSON', content: <Json value={run.resultPreview} label="the result" /> },
      ]}
    />
  );
}

function Texts({ result: { texts, scores } }: { readonly result: RunResult }) {
  return (
    <div className="ui-stack">
      {texts.map((text, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the texts of an ended run never change their order.
        <section key={index} className="runs-text-block">
          <div className="runs-text-head">
            <span className="ui-muted ui-number">
              {texts.length > 1 && `${index + 1} of ${texts.length}`}
              {scores?.[index] != null && ` · score ${formatDecimals(scores[index], 3)}`}
            </span>
            <CopyButton text={text} label="Copy the text" />
          </div>
          <div className="runs-prose" dir="auto">
            {text === '' ? <span className="ui-muted">no text</span> : text}
          </div>
        </section>
      ))}
    </div>
  );
}

function DownloadPickle({ run }: { readonly run: Run }) {
  const save = useMutation({
    mutationFn: () => cloud().downloadResult(run),
    onSuccess: (bytes) => download(`${run.id}.pkl`, new Uint8Array(bytes), 'application/octet-stream'),
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  return (
    <Button size="small" icon="download" isPending={save.isPending} onPress={() => save.mutate()}>
      Pickle
    </Button>
  );
}
