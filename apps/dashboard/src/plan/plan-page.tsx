import type { PlanList } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useProject } from '../api/project.ts';
import { useSession } from '../api/session.ts';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { PlanCards } from './plan-cards.tsx';
import { UsedLimits } from './used-limits.tsx';
import './plan.css';

const route = getRouteApi('/plan');
const WAITING_POLL_MS = 3_000;
const LIMITS_POLL_MS = 10_000;

export function PlanPage() {
  const { checkout } = route.useSearch();
  const { user } = useSession();
  const project = useProject();
  const plans = useQuery({
    queryKey: keys.plans,
    queryFn: ({ signal }) => cloud().plans.list({ signal }),
    // An owner approves a request, or the payment provider reports it, while the page is open.
    refetchInterval: ({ state }) =>
      checkout !== undefined || isWaiting(state.data, user.id) ? WAITING_POLL_MS : false,
  });
  const limits = useQuery({
    queryKey: keys.limits,
    queryFn: ({ signal }) => cloud().limits.get({ signal }),
    refetchInterval: LIMITS_POLL_MS,
  });
  useToastOfChange(plans.data);
  const isOthers = project?.role === 'member';
  const others = (plans.data?.requests ?? []).filter(({ userId }) => userId !== user.id).length;
  return (
    <div className="ui-page">
      <PageHead title="Plan" />
      {plans.error !== null && <ErrorPanel error={plans.error} onRetry={() => void plans.refetch()} />}
      {/* All at once: a part that came later would move those below it. */}
      {plans.data !== undefined && !limits.isPending && project !== undefined ? (
        <>
          {isOthers && (
            <p className="plan-note">
              The project {project.name} is on the plan of its owner, who pays for the runs of its members. To change
              your own plan, switch to a project of your own.
            </p>
          )}
          {checkout !== undefined && isWaiting(plans.data, user.id) && (
            <p className="plan-note" role="status">
              The payment provider has not confirmed the payment yet. This page shows the new plan as soon as it does.
            </p>
          )}
          {user.role === 'owner' && others > 0 && (
            <p className="plan-note">
              {others === 1 ? 'A user waits' : `${others} users wait`} for another plan.{' '}
              <Link to="/admin/plans">Look at the requests</Link>
            </p>
          )}
          <UsedLimits limits={limits} />
          <PlanCards list={plans.data} userId={user.id} isServerOwner={user.role === 'owner'} canChange={!isOthers} />
        </>
      ) : (
        plans.error === null && <Skeleton rows={8} height="3rem" />
      )}
    </div>
  );
}

function isWaiting(list: PlanList | undefined, userId: string): boolean {
  return list?.requests.some((request) => request.userId === userId) ?? false;
}

/** Says once that a plan which the user waited for has come. */
function useToastOfChange(list: PlanList | undefined): void {
  const before = useRef<string | null>(null);
  const current = list?.current;
  const name = list?.plans.find(({ id }) => id === current)?.name;
  useEffect(() => {
    if (current === undefined) return;
    if (before.current !== null && before.current !== current) toast(`You are on the plan ${name ?? current} now.`);
    before.current = current;
  }, [current, name]);
}
