import type { Run } from '@gptj-cloud/sdk';
import { isCancelled } from '../ui/cancelled.ts';
import type { TimelineStep } from '../ui/timeline.tsx';

type CourseOfRun = Pick<Run, 'createdAt' | 'startedAt' | 'endedAt' | 'timings' | 'runState' | 'usage'> & {
  readonly errorInfo: Pick<NonNullable<Run['errorInfo']>, 'exception'> | null;
};

/** The course of a run, from its acceptance on. */
export function stepsOf(
  { createdAt, startedAt, endedAt, timings, runState, usage, errorInfo }: CourseOfRun,
  now: Date,
): readonly TimelineStep[] {
  const since = (date: Date): number => Math.max(0, date.getTime() - createdAt.getTime());
  const { queuedMs, firstTokenMs } = timings;
  const end = endedAt === null ? null : since(endedAt);
  const begun = queuedMs ?? (startedAt === null ? null : since(startedAt));
  const prompt = usage === null ? 'prompt' : `prompt of ${usage.promptTokens} tokens`;
  const steps: TimelineStep[] = [{ name: 'accepted', at: 0, span: 'waits' }];
  if (begun !== null) steps.push({ name: 'running', at: begun, span: firstTokenMs === null ? 'computes' : prompt });
  if (firstTokenMs !== null) {
    steps.push({ name: 'first token', at: firstTokenMs, span: 'generates', tone: 'accent' });
  }
  if (end !== null) {
    // The clock of the acceptance and that of the computation differ by a few milliseconds.
    const last = Math.max(end, steps.at(-1)?.at ?? 0);
    if (isCancelled(errorInfo?.exception ?? null)) steps.push({ name: 'cancelled', at: last });
    else steps.push({ name: runState, at: last, ...(runState === 'failed' && { tone: 'bad' }) });
  } else steps.push({ name: 'now', at: since(now) });
  return steps;
}
