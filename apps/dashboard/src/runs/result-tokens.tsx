import type { Run } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useId, useMemo, useState } from 'react';
import { askLess } from '../api/ask-less.ts';
import { cloud } from '../api/cloud.ts';
import { Button } from '../ui/button.tsx';
import { problemOf } from '../ui/problem.ts';
import { Select } from '../ui/select.tsx';
import { EmptyState } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { TokenDetails } from '../ui/token-popover.tsx';
import type { TokenScale } from '../ui/token-scale.ts';
import { type TokenPlace, TokenText, tokenElementId } from '../ui/token-text.tsx';
import { inputQuery } from './run-input.ts';
import type { RunResult } from './run-result.ts';

const SCALES = [
  { id: 'probability', label: 'Probability' },
  { id: 'rank', label: 'Rank' },
  { id: 'entropy', label: 'Entropy' },
] as const satisfies readonly { readonly id: TokenScale; readonly label: string }[];

/** The text as tokens with their chances; the arrow keys read them. */
export function ResultTokens({ run, result }: { readonly run: Run; readonly result: RunResult }) {
  const { tokens } = result;
  const { data: input } = useQuery(inputQuery(run.id));
  if (tokens === null || tokens.length === 0) return <NoChances run={run} />;
  return (
    <div className="ui-stack">
      {tokens.map((sequence, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the texts of an ended run never change their order.
        <Sequence key={index} sequence={sequence} parameters={input?.parameters ?? {}} />
      ))}
    </div>
  );
}

function Sequence({
  sequence,
  parameters,
}: {
  readonly sequence: NonNullable<RunResult['tokens']>[number];
  readonly parameters: Readonly<Record<string, unknown>>;
}) {
  const [scale, setScale] = useState<TokenScale>('probability');
  const [current, setCurrent] = useState<TokenPlace | null>(null);
  const id = useId();
  const shown = useMemo(
    () =>
      sequence.map(({ token, text, logprob, top, processed }) => ({
        id: token,
        text: text.startsWith('bytes:') ? '' : text,
        label: text,
        logprob,
        ...(processed !== undefined && { processed }),
        top: top.map(({ token: id, text: label, ...others }) => ({ id, label, ...others })),
      })),
    [sequence],
  );
  const go = (index: number): void =>
    setCurrent({ section: 'text', index: Math.max(0, Math.min(shown.length - 1, index)) });
  const press = (event: KeyboardEvent): void => {
    const at = current?.index ?? -1;
    if (event.key === 'ArrowRight') go(at + 1);
    else if (event.key === 'ArrowLeft') go(at - 1);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(shown.length - 1);
    else return;
    event.preventDefault();
  };
  const chosen = current === null ? null : shown[current.index];
  return (
    <section className="runs-text-block ui-stack">
      <div className="runs-text-head">
        <Select label="Colour by" isLabelHidden size="small" value={scale} onChange={setScale} choices={SCALES} />
      </div>
      <div
        className="runs-prose runs-tokens"
        role="listbox"
        aria-label="Tokens"
        tabIndex={0}
        aria-activedescendant={current === null ? undefined : tokenElementId(id, current)}
        onKeyDown={press}
      >
        <TokenText
          id={id}
          sections={[{ key: 'text', plain: null, tokens: shown }]}
          scale={scale}
          current={current}
          onPick={setCurrent}
        />
      </div>
      {chosen != null && (
        <div className="runs-token">
          <TokenDetails token={chosen} current={null} parameters={parameters} onTake={null} />
        </div>
      )}
    </section>
  );
}

/** Replays the run with the chances of its tokens. */
function NoChances({ run }: { readonly run: Run }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const replay = useMutation({
    mutationFn: async () => {
      const { prompt, parameters } = await queries.fetchQuery(inputQuery(run.id));
      const asked = {
        return_dict_in_generate: true,
        logprobs: 10,
        processed_logprobs: true,
        ...(run.seed !== null && { seed: run.seed }),
      };
      const data = [prompt, { ...parameters, ...asked }];
      return await askLess(data, async (less) => await cloud().startRun(run.pipeline.id, less));
    },
    onSuccess: ({ id }) => void navigate({ to: '/runs/$runId', params: { runId: id }, search: { of: run.id } }),
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  return (
    <EmptyState
      text="This run did not request the chances of its tokens (return_dict_in_generate with logprobs)."
      action={
        <Button icon="refresh" isPending={replay.isPending} onPress={() => replay.mutate()}>
          Replay it with them
        </Button>
      }
    />
  );
}
