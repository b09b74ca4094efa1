import { useEffect, useState } from 'react';
import { cloud } from '../api/cloud.ts';

/** The text of a run that is being generated, as far as the server has its events. */
export function LiveText({ runId }: { readonly runId: string }) {
  const [text, setText] = useState('');
  useEffect(() => {
    const ending = new AbortController();
    let collected = '';
    let frame = 0;
    const show = (): void => {
      frame = 0;
      setText(collected);
    };
    const follow = async (): Promise<void> => {
      for await (const event of cloud().followRun(runId, { signal: ending.signal })) {
        // Generation has begun again: the text so far is void.
        if (event.type === 'run') collected = '';
        else if (event.type === 'token' && event.index === 0) collected += event.text;
        if (frame === 0) frame = requestAnimationFrame(show);
      }
    };
    // The page shows the end of the run, or the lost connection, by itself.
    follow().catch(() => undefined);
    return () => {
      ending.abort();
      cancelAnimationFrame(frame);
    };
  }, [runId]);
  return (
    <section className="runs-text-block" aria-busy="true">
      <div className="runs-prose" dir="auto">
        {text === '' ? <span className="ui-muted">The run has not ended.</span> : text}
        <span className="runs-caret" aria-hidden="true" />
      </div>
    </section>
  );
}
