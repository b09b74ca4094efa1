import type { RunCheck } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { PROCESSED, withoutRefused } from '../../api/ask-less.ts';
import { cloud } from '../../api/cloud.ts';
import { keys } from '../../api/keys.ts';
import type { Parameters } from './catalogue.ts';

const TYPING_MS = 250;
const REFUSED_POLL_MS = 5_000;

export interface AskedRun {
  readonly pipelineId: string;
  /** A text or token ids. Empty: nothing is asked. */
  readonly prompt: string | readonly number[];
  readonly parameters: Parameters;
}

export interface CheckedRun {
  /** The newest reply; null before the first. It may be of a moment ago: see `isFresh`. */
  readonly check: RunCheck | null;
  /** Whether the reply is for the present request. */
  readonly isFresh: boolean;
  readonly error: unknown;
}

/** Asks the server what a run would do and cost, once the typing rests. Nothing is stored or reserved by it. */
export function useRunCheck(asked: AskedRun): CheckedRun {
  const text = JSON.stringify([asked.prompt, asked.parameters]);
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: [...keys.runs, 'check', asked.pipelineId, rested],
    queryFn: async ({ signal }) => await checkRun(asked.pipelineId, JSON.parse(rested) as unknown[], signal),
    // What rests may be the empty text of a moment ago.
    enabled: asked.prompt.length > 0 && !rested.startsWith('["",'),
    placeholderData: (previous) => previous,
    staleTime: 10_000,
    // A plan that an owner grants, or the next day, ends a refusal while the page is open.
    refetchInterval: ({ state }) => (state.data?.refusal == null ? false : REFUSED_POLL_MS),
    gcTime: 60_000,
    retry: false,
  });
  return { check: data ?? null, isFresh: rested === text && !isPlaceholderData && data !== undefined, error };
}

async function checkRun(pipelineId: string, data: readonly unknown[], signal: AbortSignal): Promise<RunCheck> {
  const check = await cloud().runs.check(pipelineId, data, { signal });
  const less = withoutRefused(data, PROCESSED, check.refusal?.details.parameters);
  return less === null ? check : await cloud().runs.check(pipelineId, less.data, { signal });
}
