import type { Limits, RunCheck } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { cloud } from '../../api/cloud.ts';
import { keys } from '../../api/keys.ts';
import { formatCount, formatDuration, formatMoney, formatPlural } from '../../ui/formats.ts';
import { Icon } from '../../ui/icons.tsx';
import type { CheckedRun } from './use-run-check.ts';
import './parameters.css';

/** What the next run may use and cost, before it runs: `11 + ≤ 64 tokens · ≤ $0.0002 · ~ 0.4 s · 138,796 left today`. */
export function CheckLine({
  checked,
  tokensPerSecond,
}: {
  readonly checked: CheckedRun;
  /** Of the last run, for the time; null: not known. */
  readonly tokensPerSecond: number | null;
}) {
  const { check, isFresh } = checked;
  const { data: limits } = useQuery({
    queryKey: keys.limits,
    queryFn: ({ signal }) => cloud().limits.get({ signal }),
    staleTime: 10_000,
  });
  if (check === null) return <p className="playground-check-line" aria-hidden="true" />;
  if (check.refusal !== null) {
    const { message, remedy } = check.refusal;
    return (
      <p className="playground-check-line playground-check-refused" role="status" data-stale={!isFresh || undefined}>
        <Icon name="alert" size={12} />
        <span>
          {sentence(message)} {remedy !== null && sentence(remedy)}
        </span>
      </p>
    );
  }
  return (
    <p className="playground-check-line" data-stale={!isFresh || undefined}>
      {factsOf(check, limits ?? null, tokensPerSecond).map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </p>
  );
}

function factsOf(check: RunCheck, limits: Limits | null, tokensPerSecond: number | null): readonly string[] {
  const { promptTokens, maxGeneratedTokens, costAtMost } = check;
  const computed = costAtMost?.computedTokens ?? 0;
  const plain = (promptTokens ?? 0) + (maxGeneratedTokens ?? 0);
  return [
    `${formatCount(promptTokens ?? 0)} + ≤ ${formatPlural(maxGeneratedTokens ?? 0, 'token')}`,
    // Beams, candidates and guidance compute more than they return.
    computed > plain ? `computes ≤ ${formatCount(computed)}` : null,
    costAtMost !== null && Number(costAtMost.amount) > 0
      ? `≤ ${formatMoney(Number(costAtMost.amount), costAtMost.currency)}`
      : null,
    tokensPerSecond === null || tokensPerSecond <= 0 || maxGeneratedTokens === null
      ? null
      : `~ ${formatDuration((1000 * maxGeneratedTokens) / tokensPerSecond)}`,
    leftText(limits),
  ].filter((fact) => fact !== null);
}

/** Tokens of the day or of the month, whichever end first; null without limits. */
function leftText(limits: Limits | null): string | null {
  const periods = [
    { what: 'today', use: limits?.day },
    { what: 'this month', use: limits?.month },
  ].flatMap(({ what, use }) =>
    use === undefined || use.limit === null ? [] : [{ what, left: Math.max(0, use.limit - use.used - use.reserved) }],
  );
  const [least] = periods.sort((a, b) => a.left - b.left);
  return least === undefined ? null : `${formatCount(least.left)} left ${least.what}`;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…][)”"]?$/.test(first) ? first : `${first}.`;
}
