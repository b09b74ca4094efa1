import type { Run } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { formatCount } from '../ui/formats.ts';
import { Icon } from '../ui/icons.tsx';
import { compareResults, resultOf } from './run-result.ts';

/** Whether the replay of a run has returned the same. */
export function ReplayNote({ run, of }: { readonly run: Run; readonly of: string }) {
  const { data: original } = useQuery({
    queryKey: keys.run(of),
    queryFn: ({ signal }) => cloud().getRun(of, { signal }),
  });
  const link = (
    <Link to="/runs/$runId" params={{ runId: of }}>
      the run that it replays
    </Link>
  );
  if (original === undefined || run.endedAt === null)
    return <p className="ui-muted">Compared with {link} at its end.</p>;
  const compared = compareResults(resultOf(original), resultOf(run));
  if (compared === null) return <p className="ui-muted">Cannot be compared with {link}: one of them has no result.</p>;
  if (compared.isSame) {
    return (
      <p className="runs-same" role="status">
        <Icon name="check" /> Identical with {link}: the same {formatCount(compared.count)} {compared.of}.
      </p>
    );
  }
  return (
    <p className="runs-differs" role="status">
      <Icon name="alert" /> Differs from {link} at {compared.of} {formatCount(compared.at + 1)}. Tokens of nearly equal
      chance can change places when other requests are computed beside them; the parameter <code>deterministic</code>{' '}
      excludes that.
    </p>
  );
}
